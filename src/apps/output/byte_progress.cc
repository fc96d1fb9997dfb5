#include "apps/output/byte_progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "apps/output/byte_size.h"

namespace safeguard::apps {
namespace {

constexpr std::chrono::milliseconds kInterval{100};
constexpr std::size_t kBarMax = 30;
constexpr std::size_t kTextColumns = 60;  // what stands beside the bar, at most

}  // namespace

std::string ByteProgressText(const std::string& what, std::uint64_t done, std::uint64_t total,
                             double seconds, std::size_t columns) {
  const double share =
      total == 0 ? 1 : std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  const std::size_t bar = std::min(kBarMax, columns - std::min(columns, kTextColumns));
  std::string text = what;
  if (bar >= 5) {
    const auto filled = static_cast<std::size_t>(share * static_cast<double>(bar));
    text += " [" + std::string(filled, '#') + std::string(bar - filled, '.') + "]";
  }
  text += fmt::format(" {:3.0f} %  {} of {}", share * 100, ByteSize(done), ByteSize(total));
  if (seconds > 1 && done > 0) {
    const auto left =
        static_cast<std::uint64_t>(std::min(seconds * (1 / std::max(share, 1e-9) - 1), 359'999.0));
    text += fmt::format("  {}:{:02} left", left / 60, left % 60);
  }
  return text;
}

ByteProgress::ByteProgress(Console& console, std::string what, std::uint64_t total)
    : console_(console), what_(std::move(what)), total_(total) {}

ByteProgress::~ByteProgress() {
  if (drawn_) {
    console_.Error("\r\x1b[K");
  }
}

void ByteProgress::Update(std::uint64_t done) {
  const Clock::time_point now = Clock::now();
  if (!console_.error_is_terminal() || now - last_ < kInterval) {
    return;
  }
  last_ = now;
  drawn_ = true;
  const double seconds = std::chrono::duration<double>(now - begin_).count();
  console_.Error("\r\x1b[K" + ByteProgressText(what_, done, total_, seconds, console_.columns()));
}

}  // namespace safeguard::apps
