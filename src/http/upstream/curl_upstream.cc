#include <curl/curl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <utility>

#include "base/check.h"
#include "http/upstream.h"
#include "http/webhook/address_rule.h"
#include "http/webhook_sender.h"

namespace safeguard::http {
namespace {

using Clock = std::chrono::steady_clock;
using Multi = std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)>;
using Easy = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;

constexpr std::size_t kBufferBytesMax = std::size_t{256} << 10;  // then the upstream waits
constexpr std::size_t kHeaderBytesMax = std::size_t{64} << 10;
constexpr std::size_t kIdleMax = 64;  // connections kept for the next request
constexpr std::chrono::milliseconds kPollMax{1000};

struct Shared {
  UpstreamOptions options;
  std::vector<AddressRange> allowed;
  bool plain = false;  // http without TLS
  std::mutex mutex;
  std::vector<Multi> idle;  // each with its connections
};

Multi TakeMulti(Shared& shared) {
  const std::lock_guard lock(shared.mutex);
  if (!shared.idle.empty()) {
    Multi multi = std::move(shared.idle.back());
    shared.idle.pop_back();
    return multi;
  }
  return {curl_multi_init(), &curl_multi_cleanup};
}

class CurlCall final : public UpstreamCall {
 public:
  CurlCall(std::shared_ptr<Shared> shared, UpstreamRequest request)
      : shared_(std::move(shared)),
        request_(std::move(request)),
        multi_(TakeMulti(*shared_)),
        easy_(curl_easy_init(), &curl_easy_cleanup) {
    CHECK(multi_ != nullptr && easy_ != nullptr);
    Prepare();
    CHECK(curl_multi_add_handle(multi_.get(), easy_.get()) == CURLM_OK);
  }

  ~CurlCall() override {
    curl_multi_remove_handle(multi_.get(), easy_.get());
    curl_slist_free_all(headers_);
    const std::lock_guard lock(shared_->mutex);
    if (ended_ && shared_->idle.size() < kIdleMax) {
      shared_->idle.push_back(std::move(multi_));
    }
  }

  UpstreamEvent Next(Clock::time_point until, bool read) override {
    for (;;) {
      if (std::optional<UpstreamEvent> event = Ready(read)) {
        return std::move(*event);
      }
      if (paused_ && !done_ && bytes_.size() < kBufferBytesMax) {
        Drive();  // there is room again, and bytes that libcurl has read already
        continue;
      }
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
      if (left.count() <= 0 || woken_.exchange(false)) {
        return {};
      }
      int ready = 0;
      curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(std::min(left, kPollMax).count()),
                      &ready);
      if (!done_) {
        Drive();  // where nobody reads, the buffer fills and libcurl looks at the socket no more
      }
      if (woken_.exchange(false)) {
        return Ready(read).value_or(UpstreamEvent{});
      }
    }
  }

  void Wake() override {
    woken_.store(true);
    curl_multi_wakeup(multi_.get());
  }

 private:
  void Prepare();
  void AddHeader(const std::string& line) {
    headers_ = curl_slist_append(headers_, line.c_str());
    CHECK(headers_ != nullptr);
  }

  void Drive() {
    if (paused_ && bytes_.size() < kBufferBytesMax) {
      paused_ = false;
      curl_easy_pause(easy_.get(), CURLPAUSE_CONT);
    }
    int running = 0;
    curl_multi_perform(multi_.get(), &running);
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg == CURLMSG_DONE) {
        done_ = true;
        code_ = message->data.result;
      }
    }
  }

  // The head first, then bytes, then the end.
  std::optional<UpstreamEvent> Ready(bool read) {
    if (!started_) {
      started_ = true;
      Drive();
    }
    UpstreamEvent event;
    if (!head_told_ && (body_began_ || (done_ && code_ == CURLE_OK))) {
      head_told_ = true;
      event.kind = UpstreamEvent::Kind::kHead;
      event.status = Status();
      char* type = nullptr;
      curl_easy_getinfo(easy_.get(), CURLINFO_CONTENT_TYPE, &type);
      event.content_type = type == nullptr ? "" : type;
      curl_off_t wait = 0;
      curl_easy_getinfo(easy_.get(), CURLINFO_RETRY_AFTER, &wait);
      if (wait > 0) {
        event.retry_after = static_cast<int>(std::min<curl_off_t>(wait, 3600));
      }
      return event;
    }
    if (!bytes_.empty() && read) {
      event.kind = UpstreamEvent::Kind::kBytes;
      event.bytes = std::exchange(bytes_, {});
      return event;
    }
    if (done_ && !ended_ && bytes_.empty()) {
      ended_ = true;
      const bool complete = code_ == CURLE_OK;
      event.kind = complete ? UpstreamEvent::Kind::kEnd : UpstreamEvent::Kind::kBroken;
      event.problem = complete ? "" : Problem();
      return event;
    }
    return std::nullopt;
  }

  [[nodiscard]] int Status() const {
    long status = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    return static_cast<int>(status);
  }

  [[nodiscard]] std::string Problem() const {
    if (!refused_.empty()) {
      return "it may not be reached: " + refused_;
    }
    return problem_[0] != '\0' ? std::string(problem_.data()) : curl_easy_strerror(code_);
  }

  // See webhook/sender.cc: what is checked is what is connected to.
  curl_socket_t OpenSocket(const struct curl_sockaddr& where) {
    const Result<Address> address = Address::Of(&where.addr);
    const bool allowed =
        address && std::ranges::any_of(shared_->allowed, [&](const AddressRange& range) {
          return range.Contains(*address);
        });
    if (!address || (!allowed && (shared_->plain || !IsPublic(*address)))) {
      refused_ = !address ? address.error().message
                 : IsPublic(*address)
                     ? "http without TLS goes to allowed addresses alone, not to " + address->Text()
                     : address->Text() + " is a private address (allow it with --upstream-allow)";
      return CURL_SOCKET_BAD;
    }
    return ::socket(where.family, where.socktype | SOCK_CLOEXEC, where.protocol);
  }

  std::size_t Body(std::string_view bytes) {
    body_began_ = true;
    if (bytes_.size() >= kBufferBytesMax) {
      paused_ = true;
      return CURL_WRITEFUNC_PAUSE;
    }
    bytes_ += bytes;
    return bytes.size();
  }

  static curl_socket_t OnSocket(void* call, curlsocktype, struct curl_sockaddr* where) {
    return static_cast<CurlCall*>(call)->OpenSocket(*where);
  }
  static std::size_t OnHeader(char* /*data*/, std::size_t size, std::size_t count, void* call) {
    auto* const self = static_cast<CurlCall*>(call);
    self->header_bytes_ += size * count;
    return self->header_bytes_ <= kHeaderBytesMax ? size * count : 0;
  }
  static std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* call) {
    return static_cast<CurlCall*>(call)->Body({data, size * count});
  }

  std::shared_ptr<Shared> shared_;
  UpstreamRequest request_;
  Multi multi_;
  Easy easy_;
  curl_slist* headers_ = nullptr;
  std::atomic<bool> woken_ = false;
  bool started_ = false;
  bool body_began_ = false;
  bool head_told_ = false;
  bool paused_ = false;
  bool done_ = false;
  bool ended_ = false;
  CURLcode code_ = CURLE_OK;
  std::string bytes_;
  std::size_t header_bytes_ = 0;
  std::string refused_;  // why an address was
  std::array<char, CURL_ERROR_SIZE> problem_{};
};

void CurlCall::Prepare() {
  CURL* const easy = easy_.get();
  AddHeader("Content-Type: application/json");
  AddHeader("Expect:");  // no waiting for 100 Continue
  for (const Header& header : request_.headers) {
    AddHeader(header.name + ": " + header.value);
  }
  curl_easy_setopt(easy, CURLOPT_URL, (shared_->options.url + request_.path).c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_);
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request_.body.data());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                   static_cast<curl_off_t>(request_.body.size()));
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");  // a proxy would resolve for us, and unchecked
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "safeguard.cpp");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(shared_->options.connect_max.count()));
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, problem_.data());
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &OnSocket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &OnHeader);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &OnBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  if (!shared_->options.certificates.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, shared_->options.certificates.c_str());
  }
}

class CurlUpstream final : public Upstream {
 public:
  explicit CurlUpstream(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  std::unique_ptr<UpstreamCall> Post(UpstreamRequest request) override {
    return std::make_unique<CurlCall>(shared_, std::move(request));
  }

 private:
  std::shared_ptr<Shared> shared_;
};

}  // namespace

Result<std::unique_ptr<Upstream>> OpenUpstream(UpstreamOptions options) {
  static const bool curl_ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  CHECK(curl_ready);
  if (!CheckWebhookUrl(options.url) || options.url.find_first_of("?#") != std::string::npos) {
    return Fail(ErrorCode::kInvalidInput, "not an upstream's URL: " + options.url.substr(0, 200),
                "as in https://api.example.com/v1, without a user name or a query");
  }
  while (options.url.ends_with('/')) {
    options.url.pop_back();
  }
  auto shared = std::make_shared<Shared>();
  for (const std::string& text : options.allowed) {
    const Result<AddressRange> range = AddressRange::Parse(text);
    if (!range) {
      return std::unexpected(range.error());
    }
    shared->allowed.push_back(*range);
  }
  std::string scheme = options.url.substr(0, options.url.find(':'));
  std::ranges::transform(scheme, scheme.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  shared->plain = scheme != "https";
  shared->options = std::move(options);
  return std::make_unique<CurlUpstream>(std::move(shared));
}

}  // namespace safeguard::http
