// What a pull may take in time and space. The defaults are for the world; tests shrink them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"

namespace safeguard::apps::pull {

inline constexpr std::size_t kConnectionsMax = 32;
inline constexpr const char* kPublicHub = "https://huggingface.co";

struct Timing {
  std::chrono::milliseconds connect{15'000};
  // A transfer that brings fewer than `stall_bytes` in `stall` is given up and tried again.
  std::chrono::milliseconds stall{30'000};
  std::uint64_t stall_bytes = 4096;
  // Waits between tries double from the first to the longest.
  std::chrono::milliseconds backoff_first{1'000};
  std::chrono::milliseconds backoff_longest{30'000};
  int tries = 6;  // in a row without getting anywhere
  // The longest wait that a server may ask for with Retry-After; beyond it the pull ends.
  std::chrono::milliseconds wait_longest{300'000};
  std::chrono::milliseconds sync{1'000};  // how often what has arrived is made durable
  std::chrono::milliseconds poll{50};     // how soon Ctrl-C is seen
};

struct PullSettings {
  std::string endpoint = kPublicHub;  // Hugging Face-compatible
  std::string token;                  // sent to the endpoint's origin alone; empty: none
  std::string certificates;           // a file of trusted certificates; empty: the system's
  Timing timing;
  std::uint64_t chunk_bytes = std::uint64_t{4} << 20;  // what a resumed pull may lose, a connection
  std::uint64_t chunks_per_request = 8;
  // Free bytes for an ordinary user on the file system that holds the folder.
  std::function<Result<std::uint64_t>(const std::string& folder)> free_bytes;  // none: statvfs
};

}  // namespace safeguard::apps::pull
