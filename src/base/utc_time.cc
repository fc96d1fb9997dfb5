#include "base/utc_time.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>

namespace safeguard {
namespace {

using std::chrono::milliseconds;
using std::chrono::sys_days;
using Clock = std::chrono::system_clock;

constexpr std::int64_t kDayMs = 24 * 60 * 60 * 1000;
constexpr std::int64_t kLeast = -62'135'596'800'000;  // 0001-01-01
constexpr std::int64_t kMost = 253'402'300'799'999;   // the end of 9999-12-31

std::string Padded(std::int64_t number, std::size_t digits) {
  const std::string text = std::to_string(number);
  return std::string(digits - std::min(digits, text.size()), '0') + text;
}

// Takes `digits` digits from the front.
std::optional<int> Take(std::string_view& text, std::size_t digits) {
  int number = 0;
  if (text.size() < digits) {
    return std::nullopt;
  }
  for (const char c : text.substr(0, digits)) {
    if (c < '0' || c > '9') {
      return std::nullopt;
    }
    number = number * 10 + (c - '0');
  }
  text.remove_prefix(digits);
  return number;
}

bool TakeChar(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

// "T15:45:02.123Z" in milliseconds of the day.
std::optional<std::int64_t> TakeTime(std::string_view& text) {
  if (text.empty()) {
    return 0;
  }
  std::array<int, 3> parts{};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!TakeChar(text, i == 0 ? 'T' : ':')) {
      return std::nullopt;
    }
    const std::optional<int> part = Take(text, 2);
    if (!part || *part > (i == 0 ? 23 : 59)) {
      return std::nullopt;
    }
    parts[i] = *part;
  }
  std::optional<int> fraction = 0;
  if (TakeChar(text, '.')) {
    fraction = Take(text, 3);
  }
  if (!fraction || !TakeChar(text, 'Z')) {
    return std::nullopt;
  }
  return ((parts[0] * 60LL + parts[1]) * 60 + parts[2]) * 1000 + *fraction;
}

}  // namespace

std::string UtcText(std::int64_t time) {
  time = std::clamp(time, kLeast, kMost);
  const std::int64_t day = (time >= 0 ? time : time - (kDayMs - 1)) / kDayMs;
  const std::int64_t in_day = time - day * kDayMs;
  const std::chrono::year_month_day date{sys_days{std::chrono::days{day}}};
  return Padded(static_cast<int>(date.year()), 4) + "-" +
         Padded(static_cast<unsigned>(date.month()), 2) + "-" +
         Padded(static_cast<unsigned>(date.day()), 2) + "T" + Padded(in_day / 3'600'000, 2) + ":" +
         Padded(in_day / 60'000 % 60, 2) + ":" + Padded(in_day / 1000 % 60, 2) + "." +
         Padded(in_day % 1000, 3) + "Z";
}

Result<std::int64_t> ParseUtc(std::string_view text) {
  std::string_view rest = text;
  const std::optional<int> year = Take(rest, 4);
  const bool dash = TakeChar(rest, '-');
  const std::optional<int> month = Take(rest, 2);
  const bool second_dash = TakeChar(rest, '-');
  const std::optional<int> day = Take(rest, 2);
  const std::optional<std::int64_t> in_day = TakeTime(rest);
  if (year && dash && month && second_dash && day && in_day && rest.empty() && *year > 0) {
    const std::chrono::year_month_day date{std::chrono::year(*year),
                                           std::chrono::month(static_cast<unsigned>(*month)),
                                           std::chrono::day(static_cast<unsigned>(*day))};
    if (date.ok()) {
      return sys_days{date}.time_since_epoch().count() * kDayMs + *in_day;
    }
  }
  return Fail(ErrorCode::kInvalidInput, std::string(text.substr(0, 60)) + " is not a time",
              "write it as 2026-11-28 or 2026-11-28T15:45:02Z, in UTC");
}

std::int64_t UtcNow() {
  return std::chrono::duration_cast<milliseconds>(Clock::now().time_since_epoch()).count();
}

}  // namespace safeguard
