// What the guarding proxy does with requests on their way to the upstream, and with its answers.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "http/guard/guard_settings.h"

namespace safeguard::http {

// kScore: what is found is told and stops nothing. A request may ask for more than the operator
// has set, never for less.
enum class ProxyMode { kScore, kBlock };

// What is promised of the traffic of one route, each direction for itself; or of traffic that names
// no route.
struct GuardOptions {
  ProxyMode input = ProxyMode::kBlock;
  ProxyMode output = ProxyMode::kBlock;
  // What could not be judged: kClosed stops it, kOpen lets it pass, counted, logged and told;
  // kDegrade asks the slow judge, and stops what that cannot judge either (or where there is none).
  guard::FailMode input_fail = guard::FailMode::kClosed;
  guard::FailMode output_fail = guard::FailMode::kClosed;
  std::vector<std::string> input_policies;   // names for PolicyShelf; empty: its default ones
  std::vector<std::string> output_policies;  // the same
  guard::GuardSettings stream;               // format and fail mode are set for each request
  std::chrono::milliseconds judge_time_max{2'500};  // of a request, and of an answer given whole
};

struct ProxyOptions {
  GuardOptions guard;                                  // of requests that name no route
  bool need_route = false;                             // those are refused
  std::chrono::milliseconds answer_time_max{110'000};  // of an answer that is given whole
  std::chrono::milliseconds stream_time_max{600'000};  // of one that streams
  std::size_t answer_bytes_max = std::size_t{4} << 20;
  std::size_t exchanges_max = 256;  // at once; one more is answered 429
  // For the upstream; empty: the caller's own is passed on, where this service has no keys.
  std::string upstream_key;
};

}  // namespace safeguard::http
