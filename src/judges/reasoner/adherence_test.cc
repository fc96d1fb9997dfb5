#include "judges/reasoner/adherence.h"

#include <gtest/gtest.h>

namespace safeguard::judges {
namespace {

constexpr std::string_view kAsksForJson =
    "---\nid: spam\noutput: binary-json\n---\n# Spam\n## INSTRUCTIONS\nOutput only this JSON: "
    "`{\"violation\": 0|1, \"policy_category\": \"SP2\"|null}`\n## VIOLATES (1)\n### SP2 - Ads\n- "
    "**SP2.a** Ads.\n## SAFE (0)\n### SP0 - Fine\n- **SP0.a** Asks.\n";
constexpr std::string_view kAsksForLabel =
    "---\nid: spam\nlabels: {\"0\": safe, \"1\": violation}\n---\n# Spam\nAnswer 0 or 1 and "
    "nothing "
    "else.\n## VIOLATES (1)\n- **SP2.a** Ads.\n## SAFE (0)\n- **SP0.a** Asks.\n";
constexpr std::string_view kAsksNothing =
    "# Spam\n## VIOLATES\n- **SP2.a** Ads.\n## SAFE\n- **SP0.a** Asks.\n";

moderation::Adherence Of(std::string_view text, std::string_view answer) {
  const auto policy = moderation::ReadPolicy(text, "spam");
  const AnswerLabels labels(*policy);
  return CheckAdherence(*policy, labels, answer, ReadAnswer(*policy, labels, answer));
}

TEST(AdherenceTest, JsonAsAskedFor) {
  const auto good = Of(kAsksForJson, "{\"violation\":1,\"policy_category\":\"SP2\"}\n");
  EXPECT_EQ(good.followed, true) << good.fault;
  EXPECT_EQ(good.form, "json");
  EXPECT_EQ(good.cited, 1U);
  EXPECT_EQ(Of(kAsksForJson, "{\"violation\":1}").fault, "JSON without policy_category");
  EXPECT_EQ(Of(kAsksForJson, "Sure: {\"violation\":1,\"policy_category\":\"SP2\"}").fault,
            "text around the JSON");
  EXPECT_EQ(Of(kAsksForJson, "1").fault, "label instead of JSON");
  EXPECT_EQ(Of(kAsksForJson, "I'm sorry, but I can't help with that.").fault,
            "prose instead of JSON");
  EXPECT_EQ(Of(kAsksForJson, " ").fault, "nothing instead of JSON");
}

TEST(AdherenceTest, LabelAsAskedFor) {
  EXPECT_EQ(Of(kAsksForLabel, " 1\n").followed, true);
  EXPECT_EQ(Of(kAsksForLabel, "1\nIt sells.").fault, "text beside the label");
  EXPECT_EQ(Of(kAsksForLabel, "INVALID").fault, "a label that the policy does not offer");
  EXPECT_EQ(Of(kAsksForLabel, "{\"violation\":1}").fault, "json instead of a label");
}

TEST(AdherenceTest, APolicyThatAsksForNothingIsNotBroken) {
  const auto free = Of(kAsksNothing, "1");
  EXPECT_FALSE(free.followed.has_value());
  EXPECT_EQ(free.form, "label");
}

TEST(AdherenceTest, InventedRulesAreCounted) {
  const auto invented =
      Of(kAsksForJson,
         "{\"violation\":1,\"policy_category\":\"SP2\",\"rule_ids\":[\"SP2.a\",\"SP9.z\"]}");
  EXPECT_EQ(invented.cited, 2U);
  EXPECT_EQ(invented.unknown, 1U);
}

}  // namespace
}  // namespace safeguard::judges
