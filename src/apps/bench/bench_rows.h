// The rows of `safeguard bench`: what is timed, and each rate's share of what the machine allows.
#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <vector>

#include "apps/bench/measure.h"
#include "apps/bench/model_costs.h"
#include "apps/command_line/arguments.h"
#include "base/result.h"
#include "engine/generator.h"
#include "engine/machine_limits.h"

namespace safeguard::apps {

enum class BenchKind { kPrefill, kDecode, kItems, kInstant };

struct BenchRow {
  std::string work;  // stable name, for comparing runs: "prefill-2048", "decode-32"
  BenchKind kind = BenchKind::kPrefill;
  std::size_t size = 0;              // tokens of the prompt, sequences, contents
  std::string unit;                  // "tokens/s", "items/min", "items/s"
  std::vector<double> rates;         // one a run
  std::vector<double> expert_reads;  // likewise, as in BenchRate
  // What the machine's measured limit allows; 0: no floor is told for this work.
  double limit = 0;

  [[nodiscard]] double Median() const;
  // Experts of a layer that a step read, the mean of the runs; 0: not known.
  [[nodiscard]] double Experts(const ModelCosts& costs) const;
};

// The works that the arguments name, in their order. kInvalidInput names a work that is none.
Result<std::vector<BenchRow>> PlanBench(const BenchArguments& arguments);

// Fills in the limits of rows that were measured: prefill and instant scores by the fastest
// multiply-add rate, decoding by the weights that a step had to read. Random weights do not draw
// their experts evenly, so those that were read count; where none were counted, even draws.
void SetLimits(std::vector<BenchRow>& rows, const ModelCosts& costs,
               const engine::MachineLimits& machine, const BenchShape& shape);

// One run of one row.
Result<BenchRate> MeasureRow(engine::Generator& generator, const BenchShape& shape,
                             const BenchRow& row, std::size_t answer_tokens,
                             const std::atomic<bool>& stop);

}  // namespace safeguard::apps
