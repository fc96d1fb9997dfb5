// The loop of a batch: entries in, verdicts out, in order.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "apps/batch/batch_input.h"
#include "apps/batch/batch_output.h"
#include "apps/output/console.h"
#include "base/result.h"
#include "moderation/judge.h"

namespace safeguard::apps {

struct BatchJob {
  BatchInput& input;
  BatchOutput& output;
  moderation::Judge& judge;
  std::span<const std::shared_ptr<const moderation::PreparedPolicy>> policies;
  std::size_t batch_size = 64;
  std::string surface;   // for records that name none
  std::string language;  // for records that name none
  Console& console;
  const std::atomic<bool>& stop;
  double rate = 0;  // contents a second at most; 0: as many as there can be
  // Looked at between batches and while waiting: true ends the run as `stop` does.
  std::function<bool()> asked_to_stop{};
  // Adds to the line of a record's verdict under policies[policy].
  std::function<void(const eval::Record&, std::size_t policy, nlohmann::ordered_json&)> annotate{};
};

struct BatchEnd {
  Checkpoint position;
  std::uint64_t judged_here = 0;  // records judged by this run
  bool stopped = false;           // by `stop`, before the input ended
  double seconds = 0;
};

// Goes on where the output stopped. Each entry that cannot be read is named on standard error and
// leaves no line in the output. Whatever it returns, the output can be gone on with. Fails when the
// input is not the one that the output was made from, when reading it fails, and when writing does.
Result<BatchEnd> RunBatchJob(const BatchJob& job);

}  // namespace safeguard::apps
