#include "apps/batch/progress_line.h"

#include <fmt/format.h>

#include <algorithm>

namespace safeguard::apps {
namespace {

constexpr std::chrono::milliseconds kTerminalInterval{100};
constexpr std::chrono::seconds kPlainInterval{10};
constexpr std::size_t kBarMax = 30;
constexpr std::size_t kTextColumns = 60;  // what stands beside the bar, at most

std::string TimeText(double seconds) {
  const auto all = static_cast<std::uint64_t>(std::clamp(seconds, 0.0, 1e9));
  const std::uint64_t hours = all / 3600;
  const std::uint64_t minutes = all / 60 % 60;
  return hours > 0 ? fmt::format("{}:{:02}:{:02}", hours, minutes, all % 60)
                   : fmt::format("{}:{:02}", minutes, all % 60);
}

}  // namespace

std::string ProgressText(const BatchPosition& position, std::uint64_t bytes_start, double seconds,
                         std::size_t columns) {
  const double rate = seconds > 0 ? static_cast<double>(position.judged_here) / seconds : 0;
  std::string text = fmt::format("{} records  {:.0f}/s", position.entries, rate);
  if (position.bytes_total == 0) {
    return text;
  }
  const double share = std::min(
      1.0, static_cast<double>(position.bytes) / static_cast<double>(position.bytes_total));
  const std::uint64_t read = position.bytes - std::min(position.bytes, bytes_start);
  if (read > 0 && seconds > 0) {
    const std::uint64_t left =
        position.bytes_total - std::min(position.bytes_total, position.bytes);
    text +=
        "  " + TimeText(static_cast<double>(left) * seconds / static_cast<double>(read)) + " left";
  }
  text = fmt::format("{:3.0f} %  ", share * 100) + text;
  const std::size_t bar = std::min(kBarMax, columns - std::min(columns, kTextColumns));
  if (bar < 5) {
    return text;
  }
  const auto filled = static_cast<std::size_t>(share * static_cast<double>(bar));
  return "[" + std::string(filled, '#') + std::string(bar - filled, '.') + "] " + text;
}

ProgressLine::ProgressLine(Console& console, std::uint64_t bytes_start)
    : console_(console), bytes_start_(bytes_start), begin_(Clock::now()), last_(begin_) {}

void ProgressLine::Update(const BatchPosition& position) {
  const Clock::time_point now = Clock::now();
  const bool terminal = console_.error_is_terminal();
  const bool due =
      terminal ? !drawn_ || now - last_ >= kTerminalInterval : now - last_ >= kPlainInterval;
  if (!due) {
    return;
  }
  last_ = now;
  const std::string text = ProgressText(position, bytes_start_, seconds(), console_.columns());
  if (terminal) {
    console_.Error("\r\x1b[K" + text);
    drawn_ = true;
  } else {
    console_.Error("safeguard: " + text + "\n");
  }
}

void ProgressLine::Clear() {
  if (drawn_) {
    console_.Error("\r\x1b[K");
    drawn_ = false;
  }
}

double ProgressLine::seconds() const {
  return std::chrono::duration<double>(Clock::now() - begin_).count();
}

}  // namespace safeguard::apps
