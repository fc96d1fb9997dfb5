// What was measured, by a judge or out of a run file, and printing it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "apps/output/console.h"
#include "apps/output/report_choice.h"
#include "eval/benchmark_sets.h"
#include "eval/run_file.h"
#include "eval/runner.h"
#include "moderation/policy.h"

namespace safeguard::apps {

struct Measured {
  std::string prompting;  // "separate", "joint"; empty where it makes no difference
  std::vector<moderation::Policy> policies;
  std::vector<std::string> labels;  // of policies[i]; empty: any violation counts
  eval::Dataset data;
  std::vector<eval::EvaluationRun> runs;  // of policies[i]
  std::size_t folds = 0;
  std::uint64_t seed = 1;
  std::vector<std::string> notes;
};

// Of a recorded run; `policy` chooses one by its id, empty: all. Fails when it is not of the run.
Result<Measured> MeasuredOf(const eval::RecordedRun& run, const std::string& policy);

struct MeasuredOutput {
  std::size_t errors = 10;
  std::vector<double> thresholds;
  bool json = false;
  ReportChoice reports{};
};

// Of several (separate and joint prompting) the figures side by side. REQUIRES: at least one, of
// the same data. Fails when a report cannot be written; the figures are printed all the same.
// Reports are of one policy, or of any violation: not of policies that answer for labels.
Status PrintMeasured(std::span<const Measured> variants, const MeasuredOutput& output,
                     Console& console);

}  // namespace safeguard::apps
