// Times as people and files write them: RFC 3339 in UTC with milliseconds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace safeguard {

// "2026-11-28T15:45:02.123Z" of milliseconds since 1970-01-01 UTC. Outside the years 1 to 9999:
// clamped to them.
std::string UtcText(std::int64_t milliseconds);

// Reads what UtcText writes, without milliseconds too, or a date alone ("2026-11-28": its
// midnight). kInvalidInput for anything else.
Result<std::int64_t> ParseUtc(std::string_view text);

// Now, by the system's clock.
std::int64_t UtcNow();

}  // namespace safeguard
