// How far a transfer is: a bar that redraws itself on a terminal, a plain line now and then
// elsewhere.
#pragma once

#include <chrono>
#include <deque>
#include <string>
#include <utility>

#include "apps/output/console.h"
#include "apps/pull/pull_observer.h"

namespace safeguard::apps {

// The text of the line, without carriage return: bar, share, bytes, rate, time left; or what else
// is being done. `rate` in bytes a second; 0: not known.
std::string TransferText(const pull::PullPosition& position, double rate, std::size_t columns);

class TransferLine final : public pull::PullObserver {
 public:
  explicit TransferLine(Console& console);
  ~TransferLine() override;
  TransferLine(const TransferLine&) = delete;
  TransferLine& operator=(const TransferLine&) = delete;

  void Note(const std::string& line) override;
  // Draws when the last time is long enough ago.
  void Progress(const pull::PullPosition& position) override;
  // Takes the bar away, so that other lines can be written.
  void Clear();

 private:
  using Clock = std::chrono::steady_clock;
  [[nodiscard]] double Rate(Clock::time_point now, std::uint64_t bytes);

  Console& console_;
  Clock::time_point last_ = Clock::now();
  std::deque<std::pair<Clock::time_point, std::uint64_t>> recent_;  // of the last seconds
  bool drawn_ = false;
};

}  // namespace safeguard::apps
