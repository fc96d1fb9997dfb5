#include "apps/pull/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <utility>

#include "apps/pull/url.h"
#include "base/check.h"

namespace safeguard::apps::pull {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kRedirectsMax = 10;
constexpr std::size_t kRedirectBodyMax = 65536;
constexpr std::size_t kFieldBytesMax = 8192;
constexpr long kBufferBytes = 256L * 1024;
constexpr const char* kUserAgent = "safeguard.cpp";

constexpr std::array<std::string_view, 11> kFields = {
    "content-range", "content-type",  "content-encoding", "etag",        "last-modified", "link",
    "location",      "x-repo-commit", "x-error-code",     "retry-after", "x-linked-etag"};

bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::string_view Trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && blank(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && blank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

bool InitialiseCurl() {
  static const bool done = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return done;
}

HttpEnd EndOf(CURLcode code) {
  switch (code) {
    case CURLE_OK:
      return HttpEnd::kComplete;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:  // only connecting has a time limit of libcurl's own
      return HttpEnd::kUnreachable;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return HttpEnd::kUntrusted;
    default:
      return HttpEnd::kCut;
  }
}

}  // namespace

std::string HttpHead::Field(const std::string& name) const {
  const auto at = fields.find(name);
  return at == fields.end() ? "" : at->second;
}

struct HttpClient::Transfer {
  Transfer(State& owner_state, HttpReceiver& body_receiver)
      : owner(owner_state), easy(curl_easy_init()), receiver(body_receiver) {
    CHECK(easy != nullptr);
  }
  ~Transfer() {
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  void Prepare(const Url& target);
  bool GiveHead();
  std::size_t Header(std::string_view line);
  std::size_t Body(std::string_view bytes);
  // True when the transfer goes on elsewhere; else `result` says how it ended.
  bool Finish(CURLcode code, HttpResult& result);

  State& owner;
  CURL* easy;
  curl_slist* headers = nullptr;
  HttpReceiver& receiver;
  HttpRequest request;
  Url url;
  HttpHead head;
  bool head_given = false;
  bool refused = false;
  bool token_sent = false;
  std::size_t redirect_body = 0;
  int redirects = 0;
  Clock::time_point window = Clock::now();  // since when `window_bytes` have come
  std::uint64_t window_bytes = 0;
  std::array<char, CURL_ERROR_SIZE> problem{};
};

struct HttpClient::State {
  PullSettings settings;
  std::string token_origin;
  CURLM* multi = nullptr;
  TransferId next = 1;
  bool reached = false;
  std::map<TransferId, std::unique_ptr<Transfer>> transfers;
};

namespace {

template <typename T>
std::size_t OnHeader(char* data, std::size_t size, std::size_t count, void* transfer) {
  return static_cast<T*>(transfer)->Header({data, size * count});
}

template <typename T>
std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* transfer) {
  return static_cast<T*>(transfer)->Body({data, size * count});
}

}  // namespace

void HttpClient::Transfer::Prepare(const Url& target) {
  url = target;
  head = {};
  redirect_body = 0;
  problem[0] = '\0';
  window = Clock::now();
  window_bytes = 0;
  curl_slist_free_all(headers);
  headers = curl_slist_append(nullptr, ("Accept: " + request.accept).c_str());
  headers = curl_slist_append(headers, "Accept-Encoding: identity");
  token_sent = !owner.settings.token.empty() && url.Origin() == owner.token_origin;
  if (token_sent) {
    headers = curl_slist_append(headers, ("Authorization: Bearer " + owner.settings.token).c_str());
  }
  curl_easy_reset(easy);
  curl_easy_setopt(easy, CURLOPT_URL, url.text.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  // Over HTTP/2 all transfers would share one connection and its window.
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, kUserAgent);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  // Ctrl-C waits for no name server
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, kBufferBytes);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(owner.settings.timing.connect.count()));
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, problem.data());
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &OnHeader<Transfer>);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &apps::pull::OnBody<Transfer>);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  if (!owner.settings.certificates.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, owner.settings.certificates.c_str());
  }
  if (request.range) {
    CHECK(request.range->begin < request.range->end);
    const std::string range =
        std::to_string(request.range->begin) + "-" + std::to_string(request.range->end - 1);
    curl_easy_setopt(easy, CURLOPT_RANGE, range.c_str());
  }
}

std::size_t HttpClient::Transfer::Header(std::string_view line) {
  window_bytes += line.size();
  owner.reached = true;
  if (line.starts_with("HTTP/")) {
    head = {};
  }
  const std::size_t colon = line.find(':');
  if (colon != std::string_view::npos && !head_given) {
    std::string name(line.substr(0, colon));
    std::ranges::transform(name, name.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    const std::string_view value = Trim(line.substr(colon + 1));
    if (std::ranges::find(kFields, name) != kFields.end() && value.size() <= kFieldBytesMax) {
      head.fields[name] = std::string(value);
    }
  }
  return line.size();
}

bool HttpClient::Transfer::GiveHead() {
  long status = 0;
  curl_off_t length = -1;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  head.status = static_cast<int>(status);
  if (length >= 0) {
    head.content_length = static_cast<std::uint64_t>(length);
  }
  if (IsRedirect(head.status) && !head.Field("location").empty()) {
    return true;
  }
  if (!head_given) {
    head_given = true;
    refused = !receiver.OnHead(head);
  }
  return !refused;
}

std::size_t HttpClient::Transfer::Body(std::string_view bytes) {
  window_bytes += bytes.size();
  if (!GiveHead()) {
    return 0;
  }
  if (!head_given) {  // a redirect's body is of no interest
    redirect_body += bytes.size();
    return redirect_body > kRedirectBodyMax ? 0 : bytes.size();
  }
  refused = !receiver.OnBody(bytes);
  return refused ? 0 : bytes.size();
}

bool HttpClient::Transfer::Finish(CURLcode code, HttpResult& result) {
  const bool headed = code == CURLE_OK || redirect_body > 0;
  if (headed && !refused) {
    GiveHead();
  }
  result.end = refused ? HttpEnd::kRefused : EndOf(code);
  result.detail = problem[0] != '\0' ? problem.data() : curl_easy_strerror(code);
  if (headed && !head_given) {
    const std::string location = head.Field("location");
    const Result<Url> next = ResolveUrl(url.text, location);
    const bool downgrade = next && url.scheme == "https" && next->scheme != "https";
    if (next && !downgrade && redirects < kRedirectsMax) {
      ++redirects;
      Prepare(*next);
      return true;
    }
    result.end = HttpEnd::kBadRedirect;
    result.detail = !next       ? "it redirects to something that is no URL"
                    : downgrade ? "it redirects from https to http"
                                : "it redirects too often";
  }
  result.head = head;
  result.host = url.host;
  result.token_sent = token_sent;
  return false;
}

Result<std::unique_ptr<HttpClient>> HttpClient::Open(const PullSettings& settings) {
  if (!InitialiseCurl()) {
    return Fail(ErrorCode::kUnavailable, "libcurl cannot be initialised");
  }
  const Result<Url> endpoint = ParseUrl(settings.endpoint);
  if (!endpoint) {
    return Fail(ErrorCode::kInvalidInput, "HF_ENDPOINT is " + endpoint.error().message,
                "set it as in HF_ENDPOINT=https://host, or leave it out");
  }
  const bool printable =
      std::ranges::all_of(settings.token, [](char c) { return c > ' ' && c < '\x7f'; });
  if (!printable) {
    return Fail(ErrorCode::kInvalidInput, "HF_TOKEN holds a character that no token has",
                "set it again, without spaces or line breaks");
  }
  auto state = std::make_unique<State>();
  state->settings = settings;
  state->token_origin = endpoint->Origin();
  state->multi = curl_multi_init();
  CHECK(state->multi != nullptr);
  return std::unique_ptr<HttpClient>(new HttpClient(std::move(state)));
}

HttpClient::HttpClient(std::unique_ptr<State> state) : state_(std::move(state)) {}

HttpClient::~HttpClient() {
  while (!state_->transfers.empty()) {
    Cancel(state_->transfers.begin()->first);
  }
  curl_multi_cleanup(state_->multi);
}

TransferId HttpClient::Start(HttpRequest request, HttpReceiver& receiver) {
  const TransferId id = state_->next++;
  auto transfer = std::make_unique<Transfer>(*state_, receiver);
  const Result<Url> url = ParseUrl(request.url);
  CHECK(url.has_value());  // ours, or checked when it was read
  transfer->request = std::move(request);
  transfer->Prepare(*url);
  CHECK(curl_multi_add_handle(state_->multi, transfer->easy) == CURLM_OK);
  state_->transfers.emplace(id, std::move(transfer));
  return id;
}

void HttpClient::Cancel(TransferId id) {
  const auto at = state_->transfers.find(id);
  if (at != state_->transfers.end()) {
    curl_multi_remove_handle(state_->multi, at->second->easy);
    state_->transfers.erase(at);
  }
}

std::vector<std::pair<TransferId, HttpResult>> HttpClient::Poll(std::chrono::milliseconds wait) {
  curl_multi_poll(state_->multi, nullptr, 0, static_cast<int>(wait.count()), nullptr);
  int running = 0;
  curl_multi_perform(state_->multi, &running);
  std::vector<std::pair<TransferId, HttpResult>> ended;
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(state_->multi, &left)) {
    if (message->msg != CURLMSG_DONE) {
      continue;
    }
    CURL* const easy = message->easy_handle;
    const CURLcode code = message->data.result;
    const auto at = std::ranges::find_if(
        state_->transfers, [easy](const auto& entry) { return entry.second->easy == easy; });
    CHECK(at != state_->transfers.end());
    curl_multi_remove_handle(state_->multi, easy);
    HttpResult result;
    if (at->second->Finish(code, result)) {
      CHECK(curl_multi_add_handle(state_->multi, easy) == CURLM_OK);
      continue;
    }
    ended.emplace_back(at->first, std::move(result));
    state_->transfers.erase(at);
  }
  const Timing& timing = state_->settings.timing;
  const Clock::time_point now = Clock::now();
  std::vector<TransferId> stalled;
  for (auto& [id, transfer] : state_->transfers) {
    if (now - transfer->window < timing.stall) {
      continue;
    }
    if (transfer->window_bytes < timing.stall_bytes) {
      stalled.push_back(id);
      ended.emplace_back(id, HttpResult{HttpEnd::kStalled, transfer->head, "too slow",
                                        transfer->url.host, transfer->token_sent});
    }
    transfer->window = now;
    transfer->window_bytes = 0;
  }
  for (const TransferId id : stalled) {
    Cancel(id);
  }
  return ended;
}

bool HttpClient::reached() const {
  return state_->reached;
}

bool HttpClient::has_token() const {
  return !state_->settings.token.empty();
}

}  // namespace safeguard::apps::pull
