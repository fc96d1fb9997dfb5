#include "http/guard/guard_settings.h"

#include <array>
#include <utility>

namespace safeguard::guard {
namespace {

constexpr std::array<std::pair<const char*, WireFormat>, 4> kFormats = {{
    {"openai-chat", WireFormat::kOpenAiChat},
    {"openai-responses", WireFormat::kOpenAiResponses},
    {"anthropic", WireFormat::kAnthropicMessages},
    {"plain", WireFormat::kPlainText},
}};
constexpr std::array<std::pair<const char*, FailMode>, 3> kFailModes = {{
    {"closed", FailMode::kClosed},
    {"open", FailMode::kOpen},
    {"degrade", FailMode::kDegrade},
}};

template <typename Table, typename Value>
const char* NameIn(const Table& table, Value value) {
  for (const auto& [name, entry] : table) {
    if (entry == value) {
      return name;
    }
  }
  return "";
}

bool IsShare(double value) {
  return value >= 0 && value <= 1;  // false for NaN
}

std::unexpected<Error> Wrong(const std::string& what, const std::string& range) {
  return Fail(ErrorCode::kInvalidInput, "stream guard: " + what, range);
}

}  // namespace

std::optional<WireFormat> WireFormatFrom(std::string_view name) {
  for (const auto& [known, format] : kFormats) {
    if (name == known) {
      return format;
    }
  }
  return std::nullopt;
}

const char* ToString(WireFormat format) {
  return NameIn(kFormats, format);
}

std::optional<FailMode> FailModeFrom(std::string_view name) {
  for (const auto& [known, mode] : kFailModes) {
    if (name == known) {
      return mode;
    }
  }
  return std::nullopt;
}

const char* ToString(FailMode mode) {
  return NameIn(kFailModes, mode);
}

Status CheckSettings(const GuardSettings& settings) {
  const WindowSizes& windows = settings.windows;
  if (windows.bytes_min < 4 || windows.bytes_min > windows.bytes_soft ||
      windows.bytes_soft > windows.bytes_max ||
      windows.bytes_max > settings.limits.text_bytes_max) {
    return Wrong("the window sizes are not in order",
                 "4 <= bytes_min <= bytes_soft <= bytes_max <= text_bytes_max");
  }
  if (windows.in_flight_max == 0) {
    return Wrong("in_flight_max is 0", "give at least 1");
  }
  if (settings.doubt_at && !IsShare(*settings.doubt_at)) {
    return Wrong("doubt_at is no probability", "give 0 to 1");
  }
  if (settings.violation_at && !IsShare(*settings.violation_at)) {
    return Wrong("violation_at is no probability", "give 0 to 1");
  }
  if (settings.doubt_at && settings.violation_at && *settings.doubt_at > *settings.violation_at) {
    return Wrong("doubt_at is above violation_at", "doubt begins below certainty");
  }
  if (!IsShare(settings.calm_below)) {
    return Wrong("calm_below is no probability", "give 0 to 1");
  }
  const GuardLimits& limits = settings.limits;
  if (limits.frame_bytes_max == 0 || limits.held_bytes_max == 0 ||
      limits.tool_call_bytes_max == 0 || limits.channels_max == 0 || limits.json_depth_max < 8) {
    return Wrong("a limit is 0 or json_depth_max below 8", "raise it");
  }
  if (settings.contract.visible_max < Duration::zero() || limits.stall_max <= Duration::zero() ||
      limits.score_max <= Duration::zero() || limits.slow_max <= Duration::zero() ||
      windows.idle <= Duration::zero()) {
    return Wrong("a time is not above 0", "visible_max may be 0, no other");
  }
  if (settings.fail_mode == FailMode::kDegrade && !settings.doubt_at) {
    return Wrong("fail mode degrade without a slow judge", "set doubt_at, or fail closed or open");
  }
  return {};
}

}  // namespace safeguard::guard
