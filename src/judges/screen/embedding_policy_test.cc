#include "judges/screen/embedding_policy.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace safeguard::judges {
namespace {

using moderation::Policy;
using moderation::Rule;
using moderation::Side;

// Two dimensions are enough: violating things point along x, safe things along y.
EmbeddingPolicy TwoRules() {
  Policy policy;
  Rule bad;
  bad.id = "V";
  bad.side = Side::kViolating;
  Rule good;
  good.id = "S";
  good.side = Side::kSafe;
  policy.rules = {bad, good};
  const std::vector<Anchor> anchors = {{"v", Side::kViolating, 0}, {"s", Side::kSafe, 1}};
  return {policy, anchors, {1, 0, 0, 1}, 2, EmbeddingScoring()};
}

EmbeddedText Text(std::vector<std::pair<float, float>> directions) {
  EmbeddedText text;
  std::uint32_t at = 0;
  for (const auto& [x, y] : directions) {
    const float norm = std::sqrt(x * x + y * y);
    text.units.push_back({at, at + 10});
    text.embeddings.push_back(x / norm);
    text.embeddings.push_back(y / norm);
    at += 10;
  }
  return text;
}

TEST(EmbeddingPolicy, LikeTheViolatingRuleScoresHigherThanLikeTheSafeOne) {
  const EmbeddingPolicy policy = TwoRules();
  const ScreenScore bad = policy.Score(Text({{1, 0.1F}}));
  const ScreenScore good = policy.Score(Text({{0.1F, 1}}));
  EXPECT_GT(bad.probability, 0.5);
  EXPECT_LT(good.probability, 0.5);
  EXPECT_EQ(bad.violating_rule, 0U);
  EXPECT_EQ(bad.safe_rule, 1U);
}

// "Only for recipes": the x axis is what complies.
TEST(EmbeddingPolicy, WhereTheRestViolatesContentUnlikeTheSafeSideScoresHigh) {
  Policy policy;
  policy.rules.resize(2);
  policy.rules[0].side = Side::kSafe;
  policy.rules[1].side = Side::kViolating;
  policy.rules[1].rest = true;
  const EmbeddingPolicy only(policy, {{"s", Side::kSafe, 0}}, {1, 0}, 2, EmbeddingScoring());
  const ScreenScore on = only.Score(Text({{1, 0.1F}}));
  const ScreenScore off = only.Score(Text({{0.1F, 1}}));
  EXPECT_LT(on.probability, 0.5);
  EXPECT_GT(off.probability, 0.5);
  EXPECT_EQ(off.violating_rule, 1U);
  // A sentence off topic in a text on topic is no violation.
  EXPECT_LT(only.Score(Text({{1, 0.2F}, {0, 1}})).probability, 0.5);
}

TEST(EmbeddingPolicy, ARuleThatViolatesCountsBesideTheRest) {
  Policy policy;
  policy.rules.resize(3);
  policy.rules[0].side = Side::kSafe;
  policy.rules[1].side = Side::kViolating;
  policy.rules[1].rest = true;
  policy.rules[2].side = Side::kViolating;
  const EmbeddingPolicy both(policy, {{"s", Side::kSafe, 0}, {"v", Side::kViolating, 2}},
                             {1, 0, 0.6F, 0.8F}, 2, EmbeddingScoring());
  const ScreenScore near_both = both.Score(Text({{0.6F, 0.8F}}));
  EXPECT_GT(near_both.probability, 0.5);
  EXPECT_EQ(near_both.violating_rule, 2U);
  EXPECT_EQ(both.Score(Text({{-1, 0.1F}})).violating_rule, 1U);
  EXPECT_LT(both.Score(Text({{1, -0.3F}})).probability, 0.5);
}

TEST(EmbeddingPolicy, AnotherSentenceNeverLowersTheScore) {
  const EmbeddingPolicy policy = TwoRules();
  const double alone = policy.Score(Text({{1, 1}})).probability;
  EXPECT_GE(policy.Score(Text({{1, 1}, {0, 1}, {-1, 0.2F}})).probability, alone);
  EXPECT_GT(policy.Score(Text({{1, 1}, {1, 0}})).probability, alone);
}

TEST(EmbeddingPolicy, EvidenceIsTheBestSentenceNotTheWholeText) {
  const ScreenScore score = TwoRules().Score(Text({{1, 0}, {0, 1}, {1, 0.5F}}));
  EXPECT_EQ(score.begin, 20U);
  EXPECT_EQ(score.end, 30U);
}

TEST(EmbeddingPolicy, TheMeanOverTheRulesTellsWhatIsNearToOneByChance) {
  Policy policy;
  policy.rules.resize(2);
  // Two rules up and down from x; an example lies at the lower one and does not move the mean.
  const std::vector<Anchor> anchors = {
      {"a", Side::kViolating, 0}, {"b", Side::kViolating, 1}, {"c", Side::kViolating, 1, true}};
  const std::vector<float> embeddings = {0.8F, 0.6F, 0.8F, -0.6F, 0.8F, -0.6F};
  EmbeddingScoring scoring;
  const auto score = [&](std::pair<float, float> direction) {
    return EmbeddingPolicy(policy, anchors, embeddings, 2, scoring).Score(Text({direction}));
  };
  EXPECT_GT(score({0.8F, 0.6F}).probability, score({1, 0}).probability);
  scoring.nearest_share = 0;
  EXPECT_LT(score({0.8F, 0.6F}).probability, score({1, 0}).probability);
  const double expected = 1 / (1 + std::exp(-scoring.slope * (0.8 - scoring.margin)));
  EXPECT_NEAR(score({1, 0}).probability, expected, 1e-6);
  EXPECT_EQ(score({0.8F, 0.6F}).violating_rule, 0U);
}

TEST(EmbeddingPolicy, TextWithoutTokensIsNotRead) {
  EXPECT_FALSE(TwoRules().Score(EmbeddedText{}).read);
}

TEST(EmbeddingPolicy, CasesBendTheScore) {
  EmbeddingPolicy policy = TwoRules();
  // The author says that the diagonal violates and what is like the rule alone does not.
  const std::vector<EmbeddedText> texts = {Text({{1, 1}}), Text({{1, 0.9F}}), Text({{1, 0}}),
                                           Text({{1, 0.05F}})};
  const auto lead = [&] {  // of what the author calls a violation
    return policy.Score(texts[0]).probability - policy.Score(texts[2]).probability;
  };
  const double before = lead();
  std::vector<EmbeddedCase> cases;
  for (int copy = 0; copy < 20; ++copy) {
    for (const EmbeddedText& text : texts) {
      cases.push_back({&text, &text < &texts[2]});
    }
  }
  policy.Learn(cases);
  EXPECT_LT(before, 0);
  EXPECT_GT(lead(), 0);
}

// Everyday texts outnumber a policy's few examples: they must not pull down what it says of all
// other content, or its scores are no longer comparable with those of other policies.
TEST(EmbeddingPolicy, AFewExamplesDoNotMoveTheScoresAsAWhole) {
  constexpr std::size_t kHidden = 64;
  std::mt19937 random(1);  // NOLINT(cert-msc*)
  std::normal_distribution<float> number;
  const auto direction = [&](const std::vector<float>& towards, float share) {
    EmbeddedText text;
    text.units.push_back({0, 10});
    float squares = 0;
    for (std::size_t i = 0; i < kHidden; ++i) {
      text.embeddings.push_back(number(random) / 8 + share * towards[i]);
      squares += text.embeddings[i] * text.embeddings[i];
    }
    for (float& x : text.embeddings) {
      x /= std::sqrt(squares);
    }
    return text;
  };
  const std::vector<float> none(kHidden);
  std::vector<float> rules = direction(none, 0).embeddings;
  const EmbeddedText bad = direction(rules, 1);
  const std::vector<float> safe = direction(none, 0).embeddings;
  const EmbeddedText good = direction(safe, 1);
  rules.insert(rules.end(), safe.begin(), safe.end());
  Policy written;
  written.rules.resize(2);
  written.rules[0].side = Side::kViolating;
  written.rules[1].side = Side::kSafe;
  EmbeddingPolicy policy(written, {{"v", Side::kViolating, 0}, {"s", Side::kSafe, 1}}, rules,
                         kHidden, EmbeddingScoring());
  const EmbeddingPolicy untaught = policy;
  std::vector<EmbeddedText> everyday(48);
  std::vector<EmbeddedCase> cases = {{&bad, true}, {&good, false}};
  for (EmbeddedText& text : everyday) {
    text = direction(none, 0);
    cases.push_back({&text, false, true});
  }
  policy.Learn(cases);
  const auto logit = [](const EmbeddingPolicy& of, const EmbeddedText& text) {
    const double p = of.Score(text).probability;
    return std::log(p / (1 - p));
  };
  double moved = 0;
  for (int i = 0; i < 200; ++i) {
    const EmbeddedText other = direction(none, 0);
    moved += (logit(policy, other) - logit(untaught, other)) / 200;
  }
  EXPECT_NEAR(moved, 0, 0.4);
}

TEST(EmbeddingPolicy, CasesOfOneSideTeachNothing) {
  EmbeddingPolicy policy = TwoRules();
  const EmbeddedText text = Text({{1, 1}});
  const double before = policy.Score(text).probability;
  const std::vector<EmbeddedCase> cases = {{&text, true}};
  policy.Learn(cases);
  EXPECT_EQ(policy.Score(text).probability, before);
}

}  // namespace
}  // namespace safeguard::judges
