#include <curl/curl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "http/webhook/address_rule.h"
#include "http/webhook_sender.h"
#include "http/webhook_signature.h"

namespace safeguard::http {
namespace {

using moderation::OutgoingMessage;
using moderation::SendEnd;
using moderation::SendOutcome;

constexpr std::size_t kUrlBytesMax = 2048;
constexpr std::size_t kShownBytesMax = 200;
constexpr const char* kUserAgent = "safeguard.cpp";

using Url = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;
using Easy = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;

bool InitialiseCurl() {
  static const bool done = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return done;
}

std::string Part(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) {
    return "";
  }
  std::string copy(text);
  curl_free(text);
  return copy;
}

// One attempt, from the socket to the answer.
class Attempt {
 public:
  Attempt(const WebhookOptions& options, const std::vector<AddressRange>& allowed)
      : options_(options), allowed_(allowed), easy_(curl_easy_init(), &curl_easy_cleanup) {
    CHECK(easy_ != nullptr);
  }
  ~Attempt() { curl_slist_free_all(headers_); }
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  SendOutcome Send(const OutgoingMessage& message, const std::string& signature);

 private:
  void Prepare(const OutgoingMessage& message, const std::string& signature);
  void AddHeader(const std::string& line) {
    headers_ = curl_slist_append(headers_, line.c_str());
    CHECK(headers_ != nullptr);
  }
  // Every socket that libcurl wants is asked for here, with the address that it resolved: what is
  // checked is what is connected to, whatever a name server says a moment later.
  curl_socket_t OpenSocket(const struct curl_sockaddr& where);
  bool Count(std::size_t bytes) {
    answer_bytes_ += bytes;
    return answer_bytes_ <= options_.answer_bytes_max;
  }
  std::size_t Body(std::string_view bytes);
  SendOutcome OutcomeOf(CURLcode code);
  [[nodiscard]] std::string Shown() const;

  static curl_socket_t OnSocket(void* attempt, curlsocktype, struct curl_sockaddr* where) {
    return static_cast<Attempt*>(attempt)->OpenSocket(*where);
  }
  static std::size_t OnHeader(char* /*data*/, std::size_t size, std::size_t count, void* attempt) {
    return static_cast<Attempt*>(attempt)->Count(size * count) ? size * count : 0;
  }
  static std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* attempt) {
    return static_cast<Attempt*>(attempt)->Body({data, size * count});
  }

  const WebhookOptions& options_;
  const std::vector<AddressRange>& allowed_;
  Easy easy_;
  curl_slist* headers_ = nullptr;
  bool plain_ = false;   // http without TLS
  std::string refused_;  // why an address was
  std::size_t answer_bytes_ = 0;
  std::string shown_;  // the body's beginning
  std::array<char, CURL_ERROR_SIZE> problem_{};
};

curl_socket_t Attempt::OpenSocket(const struct curl_sockaddr& where) {
  const Result<Address> address = Address::Of(&where.addr);
  const bool allowed = address && std::ranges::any_of(allowed_, [&](const AddressRange& range) {
                         return range.Contains(*address);
                       });
  if (!address || (!allowed && (plain_ || !IsPublic(*address)))) {
    refused_ = !address ? address.error().message
               : IsPublic(*address)
                   ? "http without TLS goes to allowed addresses alone, not to " + address->Text()
                   : address->Text() + " is a private address";
    return CURL_SOCKET_BAD;
  }
  return ::socket(where.family, where.socktype | SOCK_CLOEXEC, where.protocol);
}

std::size_t Attempt::Body(std::string_view bytes) {
  shown_ += bytes.substr(0, kShownBytesMax - std::min(kShownBytesMax, shown_.size()));
  return Count(bytes.size()) ? bytes.size() : 0;
}

void Attempt::Prepare(const OutgoingMessage& message, const std::string& signature) {
  CURL* const easy = easy_.get();
  AddHeader("Content-Type: application/json");
  AddHeader("Expect:");  // no waiting for 100 Continue
  AddHeader("webhook-id: " + message.id);
  AddHeader("webhook-timestamp: " + std::to_string(message.now / 1000));
  AddHeader("webhook-signature: " + signature);
  curl_easy_setopt(easy, CURLOPT_URL, message.url.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_);
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, message.body.data());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(message.body.size()));
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");  // a proxy would resolve for us, and unchecked
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, kUserAgent);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(options_.connect_max.count()));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(options_.total_max.count()));
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, problem_.data());
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &OnSocket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &OnHeader);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &OnBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  if (!options_.certificates.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, options_.certificates.c_str());
  }
}

// The answer's beginning, for a person to see: printable ASCII.
std::string Attempt::Shown() const {
  std::string text;
  for (const char c : shown_) {
    text += c >= ' ' && c <= '~' ? c : ' ';
  }
  return text.empty() ? "" : ": " + text;
}

SendOutcome Attempt::OutcomeOf(CURLcode code) {
  long status = 0;
  curl_off_t retry_after_s = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy_.get(), CURLINFO_RETRY_AFTER, &retry_after_s);
  if (!refused_.empty() && code != CURLE_OK && status == 0) {
    return {SendEnd::kHopeless,
            "the webhook may not be reached: " + refused_ + " (allow it with --webhook-allow)",
            {}};
  }
  // An answer that is too long or never ends was an answer all the same, when its status is known.
  if (status == 0 || status < 200) {
    const std::string why =
        problem_[0] != '\0' ? std::string(problem_.data()) : curl_easy_strerror(code);
    return {SendEnd::kRetry, "the webhook cannot be reached: " + why, {}};
  }
  if (status < 300) {
    return {SendEnd::kDelivered, "", {}};
  }
  SendOutcome outcome{SendEnd::kRetry, "the webhook answered " + std::to_string(status), {}};
  if (status < 400) {
    outcome.problem += ", a redirect, and none is followed: give the address that it leads to";
  } else {
    outcome.problem += Shown();
  }
  if (status == 410) {  // Standard Webhooks: the receiver is gone for good
    outcome.end = SendEnd::kHopeless;
  }
  if (retry_after_s > 0) {
    constexpr curl_off_t kYear = 365L * 24 * 3600;
    outcome.retry_after_ms = std::min(retry_after_s, kYear) * 1000;
  }
  return outcome;
}

SendOutcome Attempt::Send(const OutgoingMessage& message, const std::string& signature) {
  const Url url(curl_url(), &curl_url_cleanup);
  CHECK(url != nullptr);
  curl_url_set(url.get(), CURLUPART_URL, message.url.c_str(), 0);
  plain_ = Part(url.get(), CURLUPART_SCHEME) != "https";
  Prepare(message, signature);
  return OutcomeOf(curl_easy_perform(easy_.get()));
}

class Sender final : public moderation::MessageSender {
 public:
  Sender(WebhookOptions options, std::vector<AddressRange> allowed)
      : options_(std::move(options)), allowed_(std::move(allowed)) {}

  SendOutcome Send(const OutgoingMessage& message) override {
    if (const Status good = CheckWebhookUrl(message.url); !good) {
      return {SendEnd::kHopeless, Describe(good.error()), {}};
    }
    const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
    if (message.id.empty() || std::ranges::any_of(message.id, control)) {
      return {SendEnd::kHopeless, "the message has no id that can be sent", {}};
    }
    const Result<std::vector<std::string>> secrets = options_.secrets();
    if (!secrets) {
      return {SendEnd::kRetry, Describe(secrets.error()), {}};
    }
    Attempt attempt(options_, allowed_);
    return attempt.Send(message,
                        SignWebhook(*secrets, message.id, message.now / 1000, message.body));
  }

 private:
  WebhookOptions options_;
  std::vector<AddressRange> allowed_;
};

}  // namespace

Status CheckWebhookUrl(const std::string& text) {
  const auto bad = [&](const std::string& why) {
    return Fail(ErrorCode::kInvalidInput, "not a webhook's URL: " + why,
                "as in https://host/path, without a user name");
  };
  if (text.size() > kUrlBytesMax) {
    return bad("more than " + std::to_string(kUrlBytesMax) + " bytes");
  }
  if (text.find('\0') != std::string::npos) {
    return bad("a zero byte in it");
  }
  const Url url(curl_url(), &curl_url_cleanup);
  CHECK(url != nullptr);
  const CURLUcode code = curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_DISALLOW_USER);
  if (code != CURLUE_OK) {
    return bad(curl_url_strerror(code));
  }
  const std::string scheme = Part(url.get(), CURLUPART_SCHEME);
  if ((scheme != "http" && scheme != "https") || Part(url.get(), CURLUPART_HOST).empty()) {
    return bad("only http and https");
  }
  return {};
}

Result<std::unique_ptr<moderation::MessageSender>> OpenWebhookSender(WebhookOptions options) {
  CHECK(options.secrets && InitialiseCurl());
  std::vector<AddressRange> allowed;
  for (const std::string& text : options.allowed) {
    const Result<AddressRange> range = AddressRange::Parse(text);
    if (!range) {
      return std::unexpected(range.error());
    }
    allowed.push_back(*range);
  }
  return std::make_unique<Sender>(std::move(options), std::move(allowed));
}

}  // namespace safeguard::http
