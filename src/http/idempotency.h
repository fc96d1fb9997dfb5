// Answers kept by Idempotency-Key, so that a request sent twice acts once. In memory, bounded in
// number and bytes, for a day: what a restart must not repeat is kept elsewhere (a policy's bytes
// by their hash, a verdict's record by its key).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "http/problem.h"

namespace safeguard::http {

// Thread-safe.
class Idempotency {
 public:
  static constexpr std::size_t kKeptMax = 10'000;
  static constexpr std::size_t kBytesMax = std::size_t{64} << 20;
  static constexpr std::int64_t kKeptMs = std::int64_t{24} * 3600 * 1000;

  // `now`: milliseconds since 1970.
  explicit Idempotency(std::function<std::int64_t()> now) : now_(std::move(now)) {}

  struct Known {
    std::optional<Response> response;  // the first answer, to be given again
    std::optional<Problem> problem;    // 409: still at work; 422: another body under this name
  };
  // Neither: the caller is the first, and must call End().
  Known Begin(const std::string& name, const std::string& body_hash);
  // An answer that asks to try again (429, 5xx) is not kept, nor one that is a stream.
  void End(const std::string& name, const Response& response);

 private:
  struct Kept {
    std::string name;
    std::string body_hash;
    std::int64_t begun = 0;
    std::optional<Response> response;
  };

  void Forget(std::list<Kept>::iterator kept);
  void Trim();

  std::function<std::int64_t()> now_;
  std::mutex mutex_;
  std::list<Kept> kept_;  // oldest first
  std::map<std::string, std::list<Kept>::iterator> by_name_;
  std::size_t bytes_ = 0;
};

}  // namespace safeguard::http
