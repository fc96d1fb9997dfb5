#include "eval/dataset/label_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace safeguard::eval {
namespace {

using nlohmann::json;

std::string Side(const json& value, const ColumnMapping& mapping = {}) {
  const auto label = ReadLabel(value, mapping);
  if (!label) {
    return "error";
  }
  return label->has_value() ? (**label ? "violation" : "safe") : "unknown";
}

TEST(LabelValuesTest, UsualWords) {
  for (const json& value :
       {json(1), json(true), json("1"), json("1.0"), json("True"), json(" yes "), json("INVALID"),
        json("unsafe"), json("violation"), json("toxic"), json("Spam"), json("hateful")}) {
    EXPECT_EQ(Side(value), "violation") << value;
  }
  for (const json& value :
       {json(0), json(false), json("0"), json(0.0), json("no"), json("VALID"), json("safe"),
        json("ham"), json("not-hate"), json("non_toxic"), json("noHate"), json("non-hateful"),
        json("Not Spam"), json("unharmful")}) {
    EXPECT_EQ(Side(value), "safe") << value;
  }
  for (const json& value : {json(nullptr), json(""), json("missing"), json("N/A"), json("unknown"),
                            json("None"), json(json::array())}) {
    EXPECT_EQ(Side(value), "unknown") << value;
  }
}

TEST(LabelValuesTest, LevelsAreSafeAtZeroOnly) {
  EXPECT_EQ(Side("SP0"), "safe");
  EXPECT_EQ(Side("SP2"), "violation");
  EXPECT_EQ(Side("HBI0"), "safe");
  EXPECT_EQ(Side("ARS3"), "violation");
  EXPECT_EQ(Side("SP10"), "violation");
  EXPECT_EQ(Side("SP2.a"), "violation");
  EXPECT_EQ(Side("SP0.c"), "safe");
  EXPECT_EQ(Side("D-SP3"), "violation");
  EXPECT_EQ(Side("LABEL_0"), "safe");
}

TEST(LabelValuesTest, SeveralLabels) {
  EXPECT_EQ(Side("D-SP0, R-SP4"), "violation");
  EXPECT_EQ(Side("D-SP0|R-SP0"), "safe");
  EXPECT_EQ(Side("INVALID+ESCALATE"), "violation");
  EXPECT_EQ(Side("VALID+WHATEVER"), "error");
  EXPECT_EQ(Side(json::array({"SP0", "SP2"})), "violation");
  EXPECT_EQ(Side(json::array({0, nullptr})), "unknown");
  EXPECT_EQ(Side(json{{"hate", false}, {"spam", true}}), "violation");
  EXPECT_EQ(Side(json{{"hate", false}, {"spam", nullptr}}), "unknown");
}

TEST(LabelValuesTest, NothingIsGuessed) {
  for (const json& value : {json("maybe"), json(2), json(-1), json(0.7), json("neither"),
                            json("category"), json("42"), json("0x1"), json("ambiguous")}) {
    EXPECT_EQ(Side(value), "error") << value;
  }
  const auto label = ReadLabel("maybe", {});
  EXPECT_THAT(label.error().message, testing::HasSubstr("\"maybe\""));
  EXPECT_THAT(label.error().hint, testing::HasSubstr("positive values"));
}

TEST(LabelValuesTest, MappedValues) {
  ColumnMapping both;
  both.positive_values = {"0", "Hate"};
  both.negative_values = {"2"};
  EXPECT_EQ(Side(0, both), "violation");
  EXPECT_EQ(Side("hate", both), "violation");
  EXPECT_EQ(Side(2, both), "safe");
  EXPECT_EQ(Side(1, both), "error");
  EXPECT_EQ(Side(nullptr, both), "unknown");

  ColumnMapping positive_only;
  positive_only.positive_values = {"hate"};
  EXPECT_EQ(Side("offensive", positive_only), "safe");
  EXPECT_EQ(Side("hate", positive_only), "violation");
  EXPECT_EQ(Side("missing", positive_only), "unknown");

  ColumnMapping negative_only;
  negative_only.negative_values = {"none"};
  EXPECT_EQ(Side("none", negative_only), "safe");
  EXPECT_EQ(Side("anything", negative_only), "violation");
}

TEST(LabelValuesTest, NumbersByThreshold) {
  ColumnMapping mapping;
  mapping.label_threshold = 0.5;
  EXPECT_EQ(Side(0.5, mapping), "violation");
  EXPECT_EQ(Side("0.49", mapping), "safe");
  EXPECT_EQ(Side("", mapping), "unknown");
}

}  // namespace
}  // namespace safeguard::eval
