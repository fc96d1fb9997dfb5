#include "apps/input/public_key.h"

#include <algorithm>
#include <cctype>

#include "base/file.h"

namespace safeguard::apps {
namespace {

constexpr std::size_t kDigits = 64;
constexpr std::size_t kFileBytesMax = 4096;

bool IsKey(const std::string& text) {
  return text.size() == kDigits && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::string LowerCase(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

}  // namespace

Result<std::string> ReadPublicKey(const std::string& text) {
  if (std::string key = LowerCase(text); IsKey(key)) {
    return key;
  }
  const Result<std::string> bytes = ReadFile(text, kFileBytesMax);
  if (!bytes) {
    return std::unexpected(bytes.error());
  }
  std::string key = LowerCase(*bytes);
  while (key.ends_with('\n') || key.ends_with('\r')) {
    key.pop_back();
  }
  if (!IsKey(key)) {
    return Fail(
        ErrorCode::kInvalidInput, text + " holds no public key",
        "give its 64 hexadecimal digits, or a file with them: DATA/audit/public_key is one");
  }
  return key;
}

}  // namespace safeguard::apps
