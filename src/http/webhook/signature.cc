#include <charconv>
#include <cstdlib>

#include "base/base64.h"
#include "base/check.h"
#include "base/hash.h"
#include "http/webhook_signature.h"

namespace safeguard::http {
namespace {

constexpr std::string_view kPrefix = "whsec_";
constexpr std::size_t kSignaturesMax = 64;

std::string_view Trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && blank(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && blank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

// The next part of `rest` before `separator`, which goes with it.
std::string_view Next(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return part;
}

std::string Signature(std::string_view secret, std::string_view id, std::string_view timestamp,
                      std::string_view body) {
  std::string text(id);
  text += '.';
  text += timestamp;
  text += '.';
  text += body;
  return Base64(HmacSha256(secret, text));
}

}  // namespace

Result<std::vector<std::string>> ReadSecrets(std::string_view text) {
  std::vector<std::string> secrets;
  for (int number = 1; !text.empty(); ++number) {
    const std::string_view line = Trim(Next(text, '\n'));
    if (line.empty() || line.starts_with('#')) {
      continue;
    }
    const auto secret =
        line.starts_with(kPrefix) ? FromBase64(line.substr(kPrefix.size())) : std::nullopt;
    if (!secret || secret->size() < kSecretBytesMin || secret->size() > kSecretBytesMax) {
      return Fail(ErrorCode::kInvalidInput,
                  "line " + std::to_string(number) + " of the webhook secrets is none",
                  "a secret is whsec_ and Base64 of 24 to 64 random bytes: echo \"whsec_$(openssl "
                  "rand -base64 32)\"");
    }
    secrets.push_back(*secret);
  }
  if (secrets.empty() || secrets.size() > kSecretsMax) {
    return Fail(ErrorCode::kInvalidInput,
                secrets.empty()
                    ? "there is no webhook secret"
                    : "there are more than " + std::to_string(kSecretsMax) + " webhook secrets",
                "the file has one a line, the newest first");
  }
  return secrets;
}

std::string SignWebhook(const std::vector<std::string>& secrets, std::string_view id,
                        std::int64_t timestamp_s, std::string_view body) {
  CHECK(!secrets.empty());
  std::string signatures;
  for (const std::string& secret : secrets) {
    signatures += signatures.empty() ? "v1," : " v1,";
    signatures += Signature(secret, id, std::to_string(timestamp_s), body);
  }
  return signatures;
}

Status VerifyWebhook(const std::vector<std::string>& secrets, std::string_view id,
                     std::string_view timestamp, std::string_view signatures, std::string_view body,
                     std::int64_t now_s, std::int64_t tolerance_s) {
  std::int64_t when = 0;
  const auto [end, problem] =
      std::from_chars(timestamp.data(), timestamp.data() + timestamp.size(), when);
  const bool whole = problem == std::errc() && end == timestamp.data() + timestamp.size();
  if (!whole || when < 0 || when < now_s - tolerance_s || when > now_s + tolerance_s) {
    return Fail(ErrorCode::kInvalidInput, "the webhook's timestamp is not of now",
                "drop the message: it may be an old one sent again");
  }
  std::size_t looked_at = 0;
  while (!signatures.empty() && looked_at++ < kSignaturesMax) {
    std::string_view one = Next(signatures, ' ');
    if (!one.starts_with("v1,")) {
      continue;
    }
    one.remove_prefix(3);
    for (const std::string& secret : secrets) {
      if (EqualInSecret(one, Signature(secret, id, timestamp, body))) {
        return {};
      }
    }
  }
  return Fail(ErrorCode::kInvalidInput, "no signature of the webhook is of a known secret",
              "drop the message; when it should be known, compare the secrets of both sides");
}

}  // namespace safeguard::http
