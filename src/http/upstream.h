// Upstream: the one server that requests are passed on to. Its address is the operator's, never a
// request's, and is checked all the same: see OpenUpstream.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/message.h"

namespace safeguard::http {

struct UpstreamRequest {
  std::string path;  // behind the base URL: "/chat/completions"
  std::vector<Header> headers;
  std::string body;
};

struct UpstreamEvent {
  enum class Kind {
    kHead,    // status, content_type, retry_after
    kBytes,   // of the body
    kEnd,     // the body is complete
    kBroken,  // no answer, or none to its end: `problem` says why
    kNothing  // the time was up, or somebody called Wake()
  };
  Kind kind = Kind::kNothing;
  int status = 0;
  std::string content_type;
  std::optional<int> retry_after;  // seconds
  std::string bytes;
  std::string problem;
};

// One request and its answer. Used by one thread, but for Wake().
class UpstreamCall {
 public:
  virtual ~UpstreamCall() = default;  // gives the answer up
  // What comes next, or kNothing at `until`. With `read` false nothing is taken from the network
  // beyond a bounded buffer: the upstream waits.
  virtual UpstreamEvent Next(std::chrono::steady_clock::time_point until, bool read) = 0;
  // Makes Next() return soon. From any thread.
  virtual void Wake() = 0;
};

// Thread-safe.
class Upstream {
 public:
  virtual ~Upstream() = default;
  virtual std::unique_ptr<UpstreamCall> Post(UpstreamRequest request) = 0;
};

struct UpstreamOptions {
  std::string url;                     // "https://api.example.com/v1"
  std::vector<std::string> allowed{};  // private addresses that may be reached: "127.0.0.1"
  std::string certificates{};          // PEM file of trusted authorities; empty: the system's
  std::chrono::milliseconds connect_max{5'000};
};

// Follows no redirect, uses no proxy, sends no cookie. The name is looked up for each connection,
// and the address that is connected to is the one that was checked: it must be public, or within
// `allowed`; http without TLS goes to allowed addresses alone. kInvalidInput: the URL or a range
// cannot be right.
Result<std::unique_ptr<Upstream>> OpenUpstream(UpstreamOptions options);

}  // namespace safeguard::http
