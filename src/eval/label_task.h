// Several policies, each with its own label in the data: figures by label, over all labels, and
// multi-policy accuracy (exact_match.h).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "eval/dataset.h"
#include "eval/exact_match.h"
#include "eval/mean_cost.h"
#include "eval/runner.h"

namespace safeguard::eval {

// Which label of the data each policy answers for. `given`: "POLICY=LABEL" each; for a policy that
// is not among them the label that its id is, or ends with after a "-" (without case:
// "moderation-s3" is S3). Empty when `given` is and no policy has one, or not every one has: then
// the policies are no multi-label task. Fails when `given` names a policy or label that is not
// there, or two policies share a label.
Result<std::vector<std::string>> MatchLabels(std::span<const std::string> policies,
                                             std::span<const Record> records,
                                             std::span<const std::string> given);

struct LabelTask {
  ExactMatch exact;
  Confusion micro{};  // all known labels of all records together; undetermined counted as wrong
  std::optional<double> micro_f1;
  std::size_t undetermined = 0;       // of the known labels
  MeanCost cost{};                    // by record: all policies together
  std::vector<char> matched;          // one for each complete record: whether every label was right
  std::vector<std::size_t> complete;  // their indices
};

// runs[l] is of labels[l]; a record that was not judged has undetermined judgements and is left out
// of everything. REQUIRES: as many runs as labels, as many results as records in each.
LabelTask MeasureLabels(std::span<const std::string> labels, std::span<const Record> records,
                        std::span<const EvaluationRun> runs, const BootstrapOptions& bootstrap);

}  // namespace safeguard::eval
