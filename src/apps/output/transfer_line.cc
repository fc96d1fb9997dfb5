#include "apps/output/transfer_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "apps/output/display_text.h"
#include "apps/pull/file_choice.h"

namespace safeguard::apps {
namespace {

constexpr std::chrono::milliseconds kTerminalInterval{100};
constexpr std::chrono::seconds kPlainInterval{10};
constexpr std::chrono::seconds kRateWindow{10};
constexpr std::size_t kBarMax = 30;
constexpr std::size_t kTextColumns = 60;  // what stands beside the bar, at most
constexpr double kSecondsMax = 359999;    // beyond 99 hours nothing is said

std::string TimeText(double seconds) {
  const auto all = static_cast<std::uint64_t>(seconds);
  const std::uint64_t hours = all / 3600;
  const std::uint64_t minutes = all / 60 % 60;
  return hours > 0 ? fmt::format("{}:{:02}:{:02}", hours, minutes, all % 60)
                   : fmt::format("{}:{:02}", minutes, all % 60);
}

}  // namespace

std::string TransferText(const pull::PullPosition& position, double rate, std::size_t columns) {
  if (!position.doing.empty()) {
    return Shorten(Printable(position.doing), std::max<std::size_t>(columns, 2) - 1);
  }
  if (position.bytes_total == 0) {
    return "";
  }
  const double share = std::min(
      1.0, static_cast<double>(position.bytes) / static_cast<double>(position.bytes_total));
  std::string text =
      fmt::format("{:3.0f} %  {} of {}", std::floor(share * 100), pull::ByteText(position.bytes),
                  pull::ByteText(position.bytes_total));
  if (rate > 0) {
    text += fmt::format("  {}/s", pull::ByteText(static_cast<std::uint64_t>(rate)));
    const double left =
        static_cast<double>(position.bytes_total - std::min(position.bytes, position.bytes_total)) /
        rate;
    if (left <= kSecondsMax) {
      text += "  " + TimeText(left) + " left";
    }
  }
  const std::size_t bar = std::min(kBarMax, columns - std::min(columns, kTextColumns));
  if (bar < 5) {
    return text;
  }
  const auto filled = static_cast<std::size_t>(share * static_cast<double>(bar));
  return "[" + std::string(filled, '#') + std::string(bar - filled, '.') + "] " + text;
}

TransferLine::TransferLine(Console& console) : console_(console) {}

TransferLine::~TransferLine() {
  Clear();
}

void TransferLine::Note(const std::string& line) {
  Clear();
  console_.Error("safeguard: " + Printable(line) + "\n");
}

double TransferLine::Rate(Clock::time_point now, std::uint64_t bytes) {
  if (!recent_.empty() && bytes < recent_.back().second) {
    recent_.clear();  // something is fetched again
  }
  recent_.emplace_back(now, bytes);
  while (now - recent_.front().first > kRateWindow) {
    recent_.pop_front();
  }
  const double seconds = std::chrono::duration<double>(now - recent_.front().first).count();
  return seconds > 0 ? static_cast<double>(bytes - recent_.front().second) / seconds : 0;
}

void TransferLine::Progress(const pull::PullPosition& position) {
  const Clock::time_point now = Clock::now();
  const bool terminal = console_.error_is_terminal();
  if (now - last_ < kTerminalInterval) {
    return;
  }
  const double rate = Rate(now, position.bytes);
  if (!terminal && now - last_ < kPlainInterval) {
    return;
  }
  const std::string text = TransferText(position, rate, console_.columns());
  if (text.empty()) {
    return;
  }
  last_ = now;
  if (terminal) {
    console_.Error("\r\x1b[K" + text);
    drawn_ = true;
  } else {
    console_.Error("safeguard: " + text + "\n");
  }
}

void TransferLine::Clear() {
  if (drawn_) {
    console_.Error("\r\x1b[K");
    drawn_ = false;
  }
}

}  // namespace safeguard::apps
