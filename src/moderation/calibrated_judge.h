// A judge whose scores are probabilities under the policies that it holds a calibration for.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "moderation/calibration.h"
#include "moderation/judge.h"

namespace safeguard::moderation {

// Judges as `judge` does; under a policy whose hash one of `calibrations` names, with that
// calibration's thresholds and scores (ApplyCalibration). The caller has checked that each is of
// this judge and of the golden set that Prepare gets. `judge` must outlive it. Thread-safe as
// `judge` is.
class CalibratedJudge final : public Judge {
 public:
  CalibratedJudge(Judge& judge, std::vector<ScoreCalibration> calibrations);

  Result<std::shared_ptr<const PreparedPolicy>> Prepare(
      const Policy& policy, std::span<const GoldenCase> golden) override;
  std::vector<Verdict> Decide(std::span<const std::shared_ptr<const PreparedPolicy>> policies,
                              std::span<const Content> contents) override;

 private:
  Judge& judge_;
  std::vector<ScoreCalibration> calibrations_;
};

}  // namespace safeguard::moderation
