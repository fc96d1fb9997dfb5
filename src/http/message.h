// An HTTP request and its answer as plain values: handlers are functions of these and know no
// network library.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "http/body_spool.h"
#include "http/body_stream.h"

namespace safeguard::http {

struct Header {
  std::string name;  // in lower case
  std::string value;
};

// The first header called `name` (lower case); empty when there is none.
inline std::string_view FindHeader(const std::vector<Header>& headers, std::string_view name) {
  const auto found = std::ranges::find(headers, name, &Header::name);
  return found == headers.end() ? std::string_view() : std::string_view(found->value);
}

struct Request {
  std::string method;  // "GET", ...
  std::string path;    // as sent, without the query
  std::string query;   // as sent, without the '?'
  std::vector<Header> headers;
  std::string body;
  std::shared_ptr<BodySpool> spool{};  // where set, the body lies there; `body` is empty
  std::string peer;                    // the client's address, without its port
  std::chrono::steady_clock::time_point received{};

  // Filled in by Service before a handler sees the request.
  std::string id;                             // of the request: echoed, logged, in every problem
  std::map<std::string, std::string> values;  // of the path: {"id": "spam"}
  std::string caller;                         // the key's name; "local" without keys
  std::string caller_id;                      // the key's id; "local" without keys
  std::string tenant;                         // whose stores it works with

  [[nodiscard]] std::string_view header(std::string_view name) const {
    return FindHeader(headers, name);
  }
  [[nodiscard]] std::size_t body_bytes() const {
    return spool == nullptr ? body.size() : spool->size();
  }
  [[nodiscard]] std::string body_hash() const {
    return spool == nullptr ? Blake2bHex(body) : spool->hash();
  }
};

struct Response {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::vector<Header> headers;  // beyond Content-Type and Content-Length
  std::string problem;          // the code of the problem that it tells, for the log; may be empty
  // Where set, the body comes from it while it is written; `body` is not looked at.
  std::shared_ptr<BodyStream> stream{};
  std::optional<std::size_t> stream_bytes{};  // how many will come from it, where that is known

  [[nodiscard]] std::size_t body_bytes() const {
    return stream == nullptr ? body.size() : stream_bytes.value_or(0);
  }
};

// Called exactly once, from any thread.
using Reply = std::function<void(Response)>;

// Must not block for longer than parsing takes, and must not throw.
using Handler = std::function<void(std::shared_ptr<Request>, Reply)>;

}  // namespace safeguard::http
