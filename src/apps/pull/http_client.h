// Many HTTP GETs at once on one thread. Redirects are followed here, one by one, so that it is
// certain where the token goes: to the origin it belongs to, and nowhere else.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/pull/pull_settings.h"
#include "base/result.h"

namespace safeguard::apps::pull {

struct ByteRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;  // half open
};

struct HttpRequest {
  std::string url;
  std::string accept = "*/*";
  std::optional<ByteRange> range;  // REQUIRES: not empty
};

// Status line and header of the answer that is not a redirect any more.
struct HttpHead {
  int status = 0;  // 0: none came
  std::optional<std::uint64_t> content_length;
  std::map<std::string, std::string> fields;  // by lower-case name; only those that are used here

  [[nodiscard]] std::string Field(const std::string& name) const;
};

enum class HttpEnd {
  kComplete,     // the answer is whole, whatever its status
  kRefused,      // the receiver wanted no more
  kUnreachable,  // no connection: name, network, refused, timed out
  kUntrusted,    // the certificate does not hold
  kCut,          // the connection broke, or the answer was not HTTP
  kStalled,      // too few bytes for too long
  kBadRedirect,  // too many, to something that is no URL, or from https to http
};

struct HttpResult {
  HttpEnd end = HttpEnd::kComplete;
  HttpHead head;
  std::string detail;  // of a failure, for a person; holds no secret
  std::string host;    // that was asked last
  bool token_sent = false;
};

// Called within HttpClient::Poll. False ends the transfer with kRefused.
class HttpReceiver {
 public:
  virtual ~HttpReceiver() = default;
  // Once, before any body.
  virtual bool OnHead(const HttpHead& head) = 0;
  virtual bool OnBody(std::string_view bytes) = 0;
};

using TransferId = std::uint64_t;

// Not thread-safe.
class HttpClient {
 public:
  // kInvalidInput for a token or endpoint that cannot be sent.
  static Result<std::unique_ptr<HttpClient>> Open(const PullSettings& settings);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // `receiver` must live until the transfer has ended or is cancelled.
  TransferId Start(HttpRequest request, HttpReceiver& receiver);
  // Not to be called by a receiver.
  void Cancel(TransferId id);
  // Moves bytes, waiting at most `wait` for some; returns the transfers that have ended.
  std::vector<std::pair<TransferId, HttpResult>> Poll(std::chrono::milliseconds wait);

  // Whether any server has answered yet.
  [[nodiscard]] bool reached() const;
  [[nodiscard]] bool has_token() const;

 private:
  struct Transfer;
  struct State;

  explicit HttpClient(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace safeguard::apps::pull
