// `policy calibrate` and what uses its file, over a judge that scores by a number in the text.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "apps/calibration/calibration_text.h"
#include "apps/commands/commands.h"
#include "apps/fake_services.h"
#include "apps/run.h"

namespace safeguard::apps {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kPolicy = "# Gamma\n\n## Violates\n- X1.a Whatever is bad.\n";

// FakeJudge scores 0.875 what holds "bad" and 0.125 the rest; one label in eight is the other way.
std::string Golden(int each) {
  std::string lines;
  for (int i = 0; i < each; ++i) {
    const std::string number = std::to_string(i);
    const bool odd = i % 8 == 7;
    lines += R"({"id": "v)" + number + R"(", "text": ")" + (odd ? "fine " : "bad ") + number +
             R"(", "expected": "violation"})" + "\n" + R"({"id": "s)" + number + R"(", "text": ")" +
             (odd ? "a bad " : "a fine ") + number + R"(", "expected": "safe"})" + "\n";
  }
  return lines;
}

class CalibrationCommandTest : public testing::Test {
 protected:
  CalibrationCommandTest()
      : policy_(folder_.Write("gamma.md", kPolicy)),
        golden_(folder_.Write("gamma.golden.jsonl", Golden(64))) {}

  ExitCode Run(std::vector<std::string> arguments) {
    console_ = FakeConsole();
    const std::atomic<bool> stop = false;
    return RunCommand(arguments, services_, console_, stop);
  }

  void Replace(const std::string& name, const std::string& bytes) {
    EXPECT_EQ(folder_.Write(name, bytes), folder_.Path(name));
  }

  TestFolder folder_;
  std::string policy_;
  std::string golden_;
  FakeServices services_;
  FakeConsole console_;
};

TEST_F(CalibrationCommandTest, CalibratesSavesAndIsUsed) {
  ASSERT_EQ(Run({"policy", "calibrate", policy_}), ExitCode::kSafe) << console_.error;
  for (const char* part :
       {"128 different texts (64 violations, 64 safe)", "calibration error", "Reliability",
        "violation at or above", "exchangeable", "Saved to", "With confidence 90 %, at most 5 %"}) {
    EXPECT_THAT(console_.out, HasSubstr(part));
  }
  EXPECT_THAT(folder_.Read("gamma.calibration.screen.json"), HasSubstr("safeguard-calibration"));
  // 56 of 64 stand on the right side: 0.875 already was about the probability.
  Run({"classify", "--policy", policy_, "--json", "something bad"});
  const nlohmann::json verdict = nlohmann::json::parse(console_.out);
  EXPECT_NEAR(verdict["score"].get<double>(), 0.87, 0.02);
  EXPECT_THAT(verdict["settings"]["calibration"].get<std::string>(), HasSubstr("platt on 128"));
  EXPECT_EQ(verdict["settings"]["raw_score"], "0.875");
  EXPECT_EQ(console_.error, "");
  Run({"classify", "--policy", policy_, "--json", "--no-calibration", "something bad"});
  EXPECT_THAT(console_.out, Not(HasSubstr("raw_score")));
}

TEST_F(CalibrationCommandTest, AnotherPolicyGoldenSetOrModelIsToldAndNotUsed) {
  ASSERT_EQ(Run({"policy", "calibrate", policy_}), ExitCode::kSafe);
  const std::string file = folder_.Path("gamma.calibration.screen.json");
  const std::vector<std::string> classify = {"classify", "--policy", policy_, "--json", "bad"};
  const std::vector<std::string> named = {"classify",      "--policy", policy_, "--json",
                                          "--calibration", file,       "bad"};
  services_.model_hash = std::string(64, 'b');
  EXPECT_EQ(Run(classify), ExitCode::kViolation);
  EXPECT_THAT(console_.error, HasSubstr("not calibrated"));
  EXPECT_THAT(console_.error, HasSubstr("another model or other settings"));
  EXPECT_THAT(console_.out, Not(HasSubstr("raw_score")));
  EXPECT_EQ(Run(named), ExitCode::kCannotRun);
  services_.model_hash = std::string(64, 'a');
  EXPECT_EQ(Run(named), ExitCode::kViolation) << console_.error;
  EXPECT_THAT(console_.out, HasSubstr("raw_score"));

  Replace("gamma.golden.jsonl", Golden(63));
  EXPECT_EQ(Run(named), ExitCode::kCannotRun);
  EXPECT_THAT(console_.error, HasSubstr("another golden set"));
  Replace("gamma.golden.jsonl", Golden(64));
  Replace("gamma.md", std::string(kPolicy) + "- X1.b And more.\n");
  EXPECT_EQ(Run(named), ExitCode::kCannotRun);
  EXPECT_THAT(console_.error, HasSubstr("another text of the policy gamma"));
  Replace("gamma.calibration.screen.json", "{}");
  EXPECT_EQ(Run(classify), ExitCode::kCannotRun);
  EXPECT_THAT(console_.error, HasSubstr("no calibration that can be used"));
}

TEST_F(CalibrationCommandTest, TooFewLabelsAreCounted) {
  Replace("gamma.golden.jsonl", Golden(16));
  EXPECT_EQ(Run({"policy", "calibrate", policy_}), ExitCode::kSafe);
  EXPECT_THAT(console_.out, HasSubstr("No bound on missed violations"));
  EXPECT_THAT(console_.out, HasSubstr("it takes 45"));
  EXPECT_EQ(Run({"policy", "calibrate", policy_, "--miss-rate", "0.05"}), ExitCode::kUsage);
  EXPECT_THAT(console_.error, HasSubstr("label 29 more"));
  Replace("gamma.golden.jsonl", Golden(6));
  EXPECT_EQ(Run({"policy", "calibrate", policy_}), ExitCode::kUsage);
  EXPECT_THAT(console_.error, HasSubstr("at least 10 scored violations"));
}

TEST_F(CalibrationCommandTest, WhatCannotBeCalibrated) {
  EXPECT_EQ(Run({"policy", "calibrate", "beta"}), ExitCode::kUsage);
  EXPECT_THAT(console_.error, HasSubstr("beta has no golden set"));
  EXPECT_EQ(Run({"policy", "calibrate", "nothing"}), ExitCode::kCannotRun);
}

TEST_F(CalibrationCommandTest, JsonAndAShippedPolicy) {
  const std::string out = folder_.Path("c.json");
  EXPECT_EQ(Run({"policy", "calibrate", "beta", "--golden", golden_, "--out", out, "--json"}),
            ExitCode::kSafe)
      << console_.error;
  const nlohmann::json json = nlohmann::json::parse(console_.out);
  EXPECT_EQ(json["cases"], 128);
  EXPECT_EQ(json["saved_to"], out);
  EXPECT_EQ(json["miss_bound"]["positives"], 64);
  EXPECT_EQ(Run({"policy", "calibrate", "beta", "--golden", golden_}), ExitCode::kSafe);
  EXPECT_THAT(console_.out, HasSubstr("Not saved"));
}

TEST(SparklineTest, EightSteps) {
  const std::vector<double> shares = {0, 0.13, 0.5, 0.99, 1};
  EXPECT_EQ(Sparkline(shares), "▁▂▅██");
}

}  // namespace
}  // namespace safeguard::apps
