#include "moderation/calibration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <limits>

#include "moderation/calibrated_judge.h"

namespace safeguard::moderation {
namespace {

using testing::HasSubstr;

ScoreMap Platt(double slope, double offset) {
  ScoreMap map;
  map.slope = slope;
  map.offset = offset;
  return map;
}

ScoreMap Isotonic(std::vector<ScoreMap::Knot> knots) {
  ScoreMap map;
  map.method = CalibrationMethod::kIsotonic;
  map.knots = std::move(knots);
  return map;
}

TEST(ScoreMapTest, PlattByHand) {
  EXPECT_DOUBLE_EQ(Platt(1, 0).Apply(0.3), 0.3);
  // sigmoid(2 * ln(3)) = 9 / 10; and with -ln(9) more, 1 / 2.
  EXPECT_NEAR(Platt(2, 0).Apply(0.75), 0.9, 1e-12);
  EXPECT_NEAR(Platt(2, -std::log(9.0)).Apply(0.75), 0.5, 1e-12);
  EXPECT_NEAR(Platt(2, -std::log(9.0)).Inverse(0.5), 0.75, 1e-12);
}

TEST(ScoreMapTest, IsotonicIsStraightBetweenKnots) {
  const ScoreMap map = Isotonic({{-2, 0.1}, {0, 0.1}, {2, 0.7}, {3, 0.7}});
  EXPECT_DOUBLE_EQ(map.Apply(0), 0.1);
  EXPECT_DOUBLE_EQ(map.Apply(FromLogOdds(-1)), 0.1);
  EXPECT_NEAR(map.Apply(FromLogOdds(1)), 0.4, 1e-12);
  EXPECT_DOUBLE_EQ(map.Apply(1), 0.7);
  EXPECT_NEAR(map.Inverse(0.4), FromLogOdds(1), 1e-12);
  EXPECT_EQ(map.Inverse(0.05), 0);
  EXPECT_GT(map.Inverse(0.8), 1);  // no score is that sure
}

TEST(ScoreMapTest, NeverFallsAndInverseIsTheLeastScore) {
  rc::check([] {
    const double slope = *rc::gen::inRange(1, 500) / 100.0;
    const double offset = *rc::gen::inRange(-500, 500) / 100.0;
    const double p = *rc::gen::inRange(0, 1001) / 1000.0;
    const double a = *rc::gen::inRange(0, 10001) / 10000.0;
    const double b = *rc::gen::inRange(0, 10001) / 10000.0;
    for (const ScoreMap& map :
         {Platt(slope, offset), Isotonic({{-3, 0.05}, {-1, 0.2}, {offset + 6, 0.9}})}) {
      RC_ASSERT(map.Apply(std::min(a, b)) <= map.Apply(std::max(a, b)));
      RC_ASSERT(map.Apply(a) >= 0 && map.Apply(a) <= 1);
      const double least = map.Inverse(p);
      if (a > least + 1e-9) {
        RC_ASSERT(map.Apply(a) >= p - 1e-9);
      } else if (a < least - 1e-9) {
        RC_ASSERT(map.Apply(a) < p + 1e-9);
      }
    }
  });
}

TEST(LogOddsTest, EndsAreNumbers) {
  EXPECT_EQ(LogOdds(0), -kLogOddsMax);
  EXPECT_EQ(LogOdds(1), kLogOddsMax);
  EXPECT_NEAR(FromLogOdds(LogOdds(0.001)), 0.001, 1e-15);
  EXPECT_EQ(FromLogOdds(-800), 0);
}

ScoreCalibration Calibration() {
  ScoreCalibration calibration;
  calibration.policy = {"spam", "1", "hash"};
  calibration.cases = 120;
  calibration.map = Platt(2, 0);
  calibration.id = "0123456789abcdef";
  return calibration;
}

Policy SpamPolicy() {
  Policy policy;
  policy.id = "spam";
  policy.version = "1";
  policy.hash = "hash";
  return policy;
}

TEST(RawThresholdsTest, TheMissBoundOnlyLowersWhatIsSafe) {
  ScoreCalibration calibration = Calibration();
  Policy policy = SpamPolicy();
  policy.thresholds = {.violation = 0.9, .safe = 0.5};
  EXPECT_NEAR(RawThresholds(calibration, policy).violation, 0.75, 1e-12);
  EXPECT_NEAR(RawThresholds(calibration, policy).safe, 0.5, 1e-12);
  calibration.miss_bound = MissBound{.threshold = 0.2};
  EXPECT_NEAR(RawThresholds(calibration, policy).safe, 0.2, 1e-12);
  EXPECT_NEAR(RawThresholds(calibration, policy).violation, 0.75, 1e-12);
  calibration.miss_bound->threshold = 0.99;
  EXPECT_NEAR(RawThresholds(calibration, policy).safe, 0.5, 1e-12);
}

// Scores by the length of the text, decides by its policy's thresholds.
class LengthJudge final : public Judge {
 public:
  class Prepared final : public PreparedPolicy {
   public:
    explicit Prepared(Policy policy) : policy_(std::move(policy)) {}
    [[nodiscard]] const Policy& policy() const override { return policy_; }

   private:
    Policy policy_;
  };

  Result<std::shared_ptr<const PreparedPolicy>> Prepare(const Policy& policy,
                                                        std::span<const GoldenCase>) override {
    return std::make_shared<Prepared>(policy);
  }
  std::vector<Verdict> Decide(std::span<const std::shared_ptr<const PreparedPolicy>> policies,
                              std::span<const Content> contents) override {
    std::vector<Verdict> verdicts;
    for (const Content& content : contents) {
      for (const auto& policy : policies) {
        Verdict verdict;
        verdict.policy = policy->policy().Reference();
        verdict.score = static_cast<double>(content.messages.front().text.size()) / 100.0;
        const Thresholds limits = policy->policy().thresholds.value_or(Thresholds{});
        verdict.reason = UndeterminedReason::kNone;
        verdict.outcome = *verdict.score >= limits.violation            ? Outcome::kViolation
                          : *verdict.score < limits.safe || always_safe ? Outcome::kSafe
                                                                        : Outcome::kUndetermined;
        verdicts.push_back(std::move(verdict));
      }
    }
    return verdicts;
  }
  bool always_safe = false;  // as an answer in words, which knows no thresholds
};

class CalibratedJudgeTest : public testing::Test {
 protected:
  Verdict Judged(std::size_t length, const std::string& hash = "hash") {
    ScoreCalibration calibration = Calibration();
    calibration.miss_bound = MissBound{.threshold = 0.25, .positives = 60, .below = 0};
    auto inner = std::make_unique<LengthJudge>();
    inner->always_safe = always_safe_;
    CalibratedJudge judge(
        std::move(inner),
        [calibration](const Policy& asked) -> Result<std::optional<ScoreCalibration>> {
          return asked.hash == "hash" ? std::optional(calibration) : std::nullopt;
        });
    Policy policy = SpamPolicy();
    policy.hash = hash;
    policy.thresholds = {.violation = 0.9, .safe = 0.9};
    const std::vector prepared = {*judge.Prepare(policy, {})};
    EXPECT_EQ(prepared.front()->policy().thresholds, policy.thresholds);
    const std::vector contents = {UserMessage(std::string(length, 'x'))};
    return judge.Decide(prepared, contents).front();
  }
  bool always_safe_ = false;
};

TEST_F(CalibratedJudgeTest, DecidesByProbabilities) {
  const Verdict violation = Judged(75);
  EXPECT_EQ(violation.outcome, Outcome::kViolation);
  EXPECT_NEAR(*violation.score, 0.9, 1e-12);
  EXPECT_EQ(violation.decided_by.settings.at("raw_score"), "0.75");
  EXPECT_EQ(violation.decided_by.settings.at("calibration"),
            "platt on 120 cases, 0123456789abcdef");
  EXPECT_THAT(violation.rationale, HasSubstr("probability 0.90 (raw score 0.75)"));
  EXPECT_EQ(Judged(74).outcome, Outcome::kUndetermined);
  EXPECT_EQ(Judged(25).outcome, Outcome::kUndetermined);
  EXPECT_EQ(Judged(24).outcome, Outcome::kSafe);
}

TEST_F(CalibratedJudgeTest, AnAnswerInWordsIsSafeOnlyWithinTheBound) {
  always_safe_ = true;
  const Verdict verdict = Judged(30);
  EXPECT_EQ(verdict.outcome, Outcome::kUndetermined);
  EXPECT_EQ(verdict.reason, UndeterminedReason::kUncertain);
  EXPECT_THAT(verdict.detail, HasSubstr("bound on missed violations"));
  EXPECT_EQ(Judged(20).outcome, Outcome::kSafe);
}

TEST_F(CalibratedJudgeTest, OtherPoliciesAreLeftAlone) {
  const Verdict verdict = Judged(75, "another");
  EXPECT_EQ(*verdict.score, 0.75);
  EXPECT_EQ(verdict.outcome, Outcome::kSafe);  // below the policy's 0.9
  EXPECT_TRUE(verdict.decided_by.settings.empty());
}

TEST(CalibratedJudgeSourceTest, AnUnusableCalibrationIsAnError) {
  CalibratedJudge judge(std::make_unique<LengthJudge>(),
                        [](const Policy&) -> Result<std::optional<ScoreCalibration>> {
                          return Fail(ErrorCode::kCorruptFile, "broken");
                        });
  EXPECT_EQ(judge.Prepare(SpamPolicy(), {}).error().message, "broken");
}

TEST(ApplyCalibrationTest, NothingScoredIsLeftAlone) {
  Verdict verdict = Undetermined({}, UndeterminedReason::kEmptyContent, "empty");
  ApplyCalibration(Calibration(), {}, verdict);
  EXPECT_FALSE(verdict.score);
  EXPECT_EQ(verdict.reason, UndeterminedReason::kEmptyContent);
  verdict.score = std::numeric_limits<double>::quiet_NaN();
  ApplyCalibration(Calibration(), {}, verdict);
  EXPECT_TRUE(verdict.decided_by.settings.empty());
}

}  // namespace
}  // namespace safeguard::moderation
