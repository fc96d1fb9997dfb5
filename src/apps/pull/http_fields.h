// Header fields that carry numbers, dates and links, as hostile input. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include "apps/pull/http_client.h"

namespace safeguard::apps::pull {

struct ContentRange {
  ByteRange range;
  std::optional<std::uint64_t> total;  // none: "*"
};

// "bytes 0-99/1000" or "bytes 0-99/*". Nothing unless begin <= last < total.
std::optional<ContentRange> ParseContentRange(std::string_view field);

// The target of the first link whose rel is "next".
std::optional<std::string> ParseNextLink(std::string_view field);

// Seconds, or an HTTP date compared with `now`; at most a year, never negative.
std::optional<std::chrono::seconds> ParseRetryAfter(std::string_view field, std::time_t now);

}  // namespace safeguard::apps::pull
