#include "eval/calibration_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>

namespace safeguard::eval {
namespace {

using moderation::CalibrationMethod;
using moderation::ScoreCalibration;
using testing::HasSubstr;

ScoreCalibration Example(bool isotonic) {
  ScoreCalibration calibration;
  calibration.policy = {"spam", "3", std::string(64, 'a')};
  calibration.golden_hash = std::string(64, 'b');
  calibration.judge = "screen";
  calibration.judge_identity = "model|settings";
  calibration.cases = 122;
  calibration.positives = 71;
  calibration.error_raw = 0.125;
  calibration.error_calibrated = 0.0625;
  calibration.error_by_chance = 0.07;
  calibration.map.slope = 0.7232667405164798;
  calibration.map.offset = -1.0 / 3;
  if (isotonic) {
    calibration.map.method = CalibrationMethod::kIsotonic;
    calibration.map.knots = {{-2.5, 0.01}, {0.1, 0.3}, {3, 0.3}, {3.5, 0.9}};
  }
  calibration.miss_bound = moderation::MissBound{
      .miss_rate = 0.05, .confidence = 0.9, .threshold = 0.1 + 0.2, .positives = 71, .below = 1};
  return calibration;
}

TEST(CalibrationFileTest, ReadsWhatItWroteToTheLastBit) {
  for (const bool isotonic : {false, true}) {
    const ScoreCalibration written = Example(isotonic);
    const std::string bytes = WriteCalibration(written);
    const ScoreCalibration read = *ReadCalibration(bytes, "file");
    EXPECT_EQ(WriteCalibration(read), bytes);
    EXPECT_EQ(read.policy.hash, written.policy.hash);
    EXPECT_EQ(read.miss_bound->threshold, 0.1 + 0.2);
    EXPECT_EQ(read.id.size(), 16U);
    for (const double score : {0.0, 0.1, 0.5, 0.77, 1.0}) {
      EXPECT_EQ(read.map.Apply(score), written.map.Apply(score));
    }
  }
}

TEST(CalibrationFileTest, NoBoundIsNull) {
  ScoreCalibration calibration = Example(false);
  calibration.miss_bound.reset();
  const std::string bytes = WriteCalibration(calibration);
  EXPECT_THAT(bytes, HasSubstr("\"miss_bound\": null"));
  EXPECT_FALSE(ReadCalibration(bytes, "file")->miss_bound);
}

std::string Changed(std::string bytes, const std::string& from, const std::string& to) {
  const std::size_t at = bytes.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? bytes : bytes.replace(at, from.size(), to);
}

TEST(CalibrationFileTest, WhatIsWrongIsNamed) {
  const std::string platt = WriteCalibration(Example(false));
  const std::string isotonic = WriteCalibration(Example(true));
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"", "not a JSON object"},
      {"[1]", "not a JSON object"},
      {"{}", "\"format\""},
      {Changed(platt, "safeguard-calibration", "other"), "\"format\""},
      {Changed(platt, "\"version\": 1", "\"version\": 2"), "version is not 1"},
      {Changed(platt, "\"golden_hash\"", "\"golden\""), "\"golden_hash\" is missing"},
      {Changed(platt, "\"hash\"", "\"sum\""), "\"hash\" is missing"},
      {Changed(platt, "0.7232667405164798", "-0.7"), "\"slope\" is out of range"},
      {Changed(platt, "0.7232667405164798", "\"steep\""), "\"slope\" is missing or no number"},
      {Changed(platt, "\"platt\"", "\"magic\""), "neither platt nor isotonic"},
      {Changed(platt, "\"cases\": 122", "\"cases\": -1"), "\"cases\""},
      {Changed(platt, "\"threshold\": 0.3", "\"threshold\": 9.3"), "\"threshold\" is out of range"},
      {Changed(isotonic, "0.01", "0.8"), "falls"},
      {Changed(isotonic, "-2.5", "-99"), "\"knots\" is out of range"}};
  for (const auto& [bytes, complaint] : wrong) {
    const auto read = ReadCalibration(bytes, "my.json");
    ASSERT_FALSE(read) << complaint;
    EXPECT_THAT(read.error().message, HasSubstr(complaint));
    EXPECT_THAT(read.error().message, HasSubstr("my.json"));
    EXPECT_THAT(read.error().hint, HasSubstr("policy calibrate"));
  }
  EXPECT_EQ(ReadCalibration(std::string(kCalibrationBytesMax + 1, ' '), "f").error().code,
            ErrorCode::kLimit);
  EXPECT_FALSE(ReadCalibration(std::string(1 << 20, '['), "f"));
}

// One byte changed anywhere: an error or a calibration that keeps every promise of the type.
TEST(CalibrationFileTest, FlippedBytesNeverBreakIt) {
  rc::check([] {
    std::string bytes = WriteCalibration(Example(*rc::gen::arbitrary<bool>()));
    bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] = *rc::gen::arbitrary<char>();
    const auto read = ReadCalibration(bytes, "file");
    if (read) {
      RC_ASSERT(read->map.Apply(0.2) <= read->map.Apply(0.7));
      RC_ASSERT(read->map.Apply(0.7) >= 0 && read->map.Apply(0.7) <= 1);
    }
  });
}

}  // namespace
}  // namespace safeguard::eval
