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
#include "apps/commands/routed_judging.h"
#include "apps/commands/verdict_recorder.h"
#include "apps/output/console.h"
#include "base/result.h"
#include "moderation/judge.h"

namespace safeguard::apps {

struct BatchJob {
  BatchInput& input;
  BatchOutput& output;
  RoutedJudging& judging;
  VerdictRecorder* recorder = nullptr;  // null: nothing is recorded
  std::size_t batch_size = 64;
  std::string surface;   // for records that name none
  std::string language;  // for records that name none
  Console& console;
  const std::atomic<bool>& stop;
  double rate = 0;  // contents a second at most; 0: as many as there can be
  // Looked at between batches and while waiting: true ends the run as `stop` does.
  std::function<bool()> asked_to_stop{};
  // Called before each batch. May be empty.
  std::function<void()> before_batch{};
  // Adds to the line of a record's verdict under policies[policy].
  std::function<void(const eval::Record&, std::size_t policy, nlohmann::ordered_json&)> annotate{};
};

struct BatchEnd {
  Checkpoint position;
  std::uint64_t judged_here = 0;  // records judged by this run
  bool stopped = false;           // by `stop`, before the input ended
  double seconds = 0;
};

// Goes on where the output stopped. A policy that follows the store is asked for anew with each
// batch. Verdicts are recorded before they are written: what was written is in the record, and what
// is judged again after a kill stands there twice. Each entry that cannot be read is named on
// standard error and leaves no line in the output. Whatever it returns, the output can be gone on
// with. Fails when the input is not the one that the output was made from, when reading it fails,
// when writing or recording does, and when the store cannot say which version is active.
Result<BatchEnd> RunBatchJob(const BatchJob& job);

}  // namespace safeguard::apps
