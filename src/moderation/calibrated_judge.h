// A judge whose scores are probabilities under the policies that there is a calibration for.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "moderation/calibration.h"
#include "moderation/judge.h"

namespace safeguard::moderation {

// The calibration for a policy, or nothing. Whoever answers has checked that it was made for this
// policy's hash, for the judge and for the golden set that Prepare gets. An error keeps the policy
// from being prepared. Called from Prepare alone.
using CalibrationSource = std::function<Result<std::optional<ScoreCalibration>>(const Policy&)>;

// Judges as `judge` does; under a calibrated policy with that calibration's thresholds and scores
// (ApplyCalibration). Thread-safe as `judge` and the source are.
class CalibratedJudge final : public Judge {
 public:
  CalibratedJudge(std::unique_ptr<Judge> judge, CalibrationSource source);

  Result<std::shared_ptr<const PreparedPolicy>> Prepare(
      const Policy& policy, std::span<const GoldenCase> golden) override;
  Result<std::shared_ptr<const PreparedPolicy>> PrepareFor(const Policy& policy,
                                                           std::span<const GoldenCase> golden,
                                                           const std::string& owner) override;
  std::vector<Verdict> Decide(std::span<const std::shared_ptr<const PreparedPolicy>> policies,
                              std::span<const Content> contents) override;
  std::vector<Verdict> DecideUntil(std::span<const std::shared_ptr<const PreparedPolicy>> policies,
                                   std::span<const Content> contents,
                                   const StopSignal& stop) override;
  std::vector<Verdict> DecideInPassing(
      std::span<const std::shared_ptr<const PreparedPolicy>> policies,
      std::span<const Content> contents, const StopSignal& stop) override;
  std::vector<Verdict> DecideSample(std::span<const std::shared_ptr<const PreparedPolicy>> policies,
                                    std::span<const Content> contents,
                                    std::uint64_t sample) override;
  std::vector<Verdict> DecideAloud(std::span<const std::shared_ptr<const PreparedPolicy>> policies,
                                   const Content& content, const Onlooker& onlooker) override;

 private:
  using InnerDecide = std::function<std::vector<Verdict>(
      std::span<const std::shared_ptr<const PreparedPolicy>> inner)>;
  static std::vector<Verdict> Calibrated(
      std::span<const std::shared_ptr<const PreparedPolicy>> policies, const InnerDecide& decide);

  std::unique_ptr<Judge> judge_;
  CalibrationSource source_;
};

}  // namespace safeguard::moderation
