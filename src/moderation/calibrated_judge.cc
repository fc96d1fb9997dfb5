#include "moderation/calibrated_judge.h"

#include <utility>

#include "base/check.h"

namespace safeguard::moderation {
namespace {

class CalibratedPolicy final : public PreparedPolicy {
 public:
  CalibratedPolicy(Policy policy, std::shared_ptr<const PreparedPolicy> inner,
                   std::optional<ScoreCalibration> calibration, const Thresholds& raw)
      : policy_(std::move(policy)),
        inner_(std::move(inner)),
        calibration_(std::move(calibration)),
        raw_(raw) {}

  [[nodiscard]] const Policy& policy() const override { return policy_; }
  [[nodiscard]] const std::shared_ptr<const PreparedPolicy>& inner() const { return inner_; }
  [[nodiscard]] const std::optional<ScoreCalibration>& calibration() const { return calibration_; }
  [[nodiscard]] const Thresholds& raw() const { return raw_; }

 private:
  Policy policy_;  // as written: its thresholds are on probabilities
  std::shared_ptr<const PreparedPolicy> inner_;
  std::optional<ScoreCalibration> calibration_;
  Thresholds raw_;
};

}  // namespace

CalibratedJudge::CalibratedJudge(std::unique_ptr<Judge> judge, CalibrationSource source)
    : judge_(std::move(judge)), source_(std::move(source)) {
  CHECK(judge_ != nullptr && source_ != nullptr);
}

Result<std::shared_ptr<const PreparedPolicy>> CalibratedJudge::Prepare(
    const Policy& policy, std::span<const GoldenCase> golden) {
  return PrepareFor(policy, golden, "");
}

Result<std::shared_ptr<const PreparedPolicy>> CalibratedJudge::PrepareFor(
    const Policy& policy, std::span<const GoldenCase> golden, const std::string& owner) {
  Result<std::optional<ScoreCalibration>> calibration = source_(policy);
  if (!calibration) {
    return std::unexpected(calibration.error());
  }
  Policy inner = policy;
  Thresholds raw;
  if (*calibration) {
    // The judge decides by its own scores, so that rule and evidence fit the outcome.
    raw = RawThresholds(**calibration, policy);
    inner.thresholds = raw;
  }
  Result<std::shared_ptr<const PreparedPolicy>> prepared = judge_->PrepareFor(inner, golden, owner);
  if (!prepared) {
    return std::unexpected(prepared.error());
  }
  return std::make_shared<CalibratedPolicy>(policy, std::move(*prepared), std::move(*calibration),
                                            raw);
}

std::vector<Verdict> CalibratedJudge::Decide(
    std::span<const std::shared_ptr<const PreparedPolicy>> policies,
    std::span<const Content> contents) {
  return DecideSample(policies, contents, 0);
}

std::vector<Verdict> CalibratedJudge::DecideUntil(
    std::span<const std::shared_ptr<const PreparedPolicy>> policies,
    std::span<const Content> contents, const StopSignal& stop) {
  return Calibrated(policies,
                    [&](auto inner) { return judge_->DecideUntil(inner, contents, stop); });
}

std::vector<Verdict> CalibratedJudge::DecideInPassing(
    std::span<const std::shared_ptr<const PreparedPolicy>> policies,
    std::span<const Content> contents, const StopSignal& stop) {
  return Calibrated(policies,
                    [&](auto inner) { return judge_->DecideInPassing(inner, contents, stop); });
}

std::vector<Verdict> CalibratedJudge::DecideSample(
    std::span<const std::shared_ptr<const PreparedPolicy>> policies,
    std::span<const Content> contents, std::uint64_t sample) {
  return Calibrated(policies,
                    [&](auto inner) { return judge_->DecideSample(inner, contents, sample); });
}

std::vector<Verdict> CalibratedJudge::DecideAloud(
    std::span<const std::shared_ptr<const PreparedPolicy>> policies, const Content& content,
    const Onlooker& onlooker) {
  return Calibrated(policies,
                    [&](auto inner) { return judge_->DecideAloud(inner, content, onlooker); });
}

std::vector<Verdict> CalibratedJudge::Calibrated(
    std::span<const std::shared_ptr<const PreparedPolicy>> policies, const InnerDecide& decide) {
  std::vector<const CalibratedPolicy*> ours;
  std::vector<std::shared_ptr<const PreparedPolicy>> inner;
  for (const auto& policy : policies) {
    const auto* calibrated = dynamic_cast<const CalibratedPolicy*>(policy.get());
    CHECK(calibrated != nullptr);
    ours.push_back(calibrated);
    inner.push_back(calibrated->inner());
  }
  std::vector<Verdict> verdicts = decide(inner);
  for (std::size_t i = 0; i < verdicts.size() && !ours.empty(); ++i) {
    const CalibratedPolicy& policy = *ours[i % ours.size()];
    if (policy.calibration()) {
      ApplyCalibration(*policy.calibration(), policy.raw(), verdicts[i]);
    }
  }
  return verdicts;
}

}  // namespace safeguard::moderation
