#include "judges/screen/cross_screen.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>

#include "judges/screen/background.h"
#include "judges/screen/fake_pair_encoder.h"

namespace safeguard::judges {
namespace {

using moderation::GoldenCase;
using moderation::Outcome;
using moderation::Policy;
using moderation::Side;

struct Made {
  const FakePairEncoder* encoder;
  std::unique_ptr<CrossScreen> screen;
};

Made Make(engine::PairConfig* config = nullptr) {
  auto encoder = std::make_unique<FakePairEncoder>();
  if (config != nullptr) {
    encoder->config_ = *config;
  }
  const FakePairEncoder* watched = encoder.get();
  auto reader = std::make_unique<PairReader>(engine::WordPiece::Load(kFakeTokenizer).value(),
                                             std::move(encoder), 2);
  return {watched, std::make_unique<CrossScreen>(std::move(reader), "", "fake", "hash")};
}

Policy PolicyOf(const std::vector<std::string>& rules) {
  Policy policy;
  policy.name = "the";
  for (const std::string& text : rules) {
    moderation::Rule rule;
    rule.id = "R" + std::to_string(policy.rules.size());
    rule.text = text;
    rule.side = Side::kViolating;
    policy.rules.push_back(rule);
  }
  return policy;
}

std::vector<ScreenScore> Score(CrossScreen& screen, const std::vector<Policy>& policies,
                               const std::vector<std::string_view>& texts,
                               const std::vector<GoldenCase>& golden = {}) {
  std::vector<std::shared_ptr<const ScreenPolicy>> prepared;
  std::vector<const ScreenPolicy*> pointers;
  for (const Policy& policy : policies) {
    prepared.push_back(screen.Prepare(policy, golden).value());
    pointers.push_back(prepared.back().get());
  }
  return screen.Score(pointers, texts, {});
}

// `count` harmless words.
std::string Harmless(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text += i % 12 == 11 ? "long. " : i % 3 == 0 ? "the " : "day ";
  }
  return text;
}

TEST(CrossScreen, FollowsThePolicyItIsGiven) {
  const Made made = Make();
  const auto scores = Score(*made.screen, {PolicyOf({"bad"}), PolicyOf({"worse"})},
                            {"the bad day", "the worse day", "the long day", ""});
  EXPECT_GT(scores[0].probability, 0.85);
  EXPECT_LT(scores[1].probability, 0.15);
  EXPECT_LT(scores[2].probability, 0.15);
  EXPECT_GT(scores[3].probability, 0.85);
  EXPECT_LT(scores[4].probability, 0.15);
  EXPECT_FALSE(scores[6].read);
  EXPECT_FALSE(scores[7].read);
}

TEST(CrossScreen, NamesTheRuleAndTheSentence) {
  const Made made = Make();
  const std::string text = "The day was long. The day was worse. The day was long.";
  const auto scores = Score(*made.screen, {PolicyOf({"bad", "worse", "worst"})}, {text});
  ASSERT_TRUE(scores[0].violating_rule.has_value());
  EXPECT_EQ(*scores[0].violating_rule, 1U);
  EXPECT_EQ(text.substr(scores[0].begin, scores[0].end - scores[0].begin), "The day was worse.");
}

TEST(CrossScreen, HarmlessTextsCostOnePairAPolicyAndNoRuleBlock) {
  const Made made = Make();
  const std::vector<Policy> policies = {PolicyOf({"bad", "worse"}), PolicyOf({"worst", "odd"})};
  const auto scores = Score(*made.screen, policies, {"the day", "the day was long. the long day."});
  EXPECT_EQ(made.encoder->pairs_scored, 4U);
  EXPECT_EQ(made.encoder->policies_encoded, 2U);
  for (const ScreenScore& score : scores) {
    EXPECT_FALSE(score.violating_rule.has_value());
  }
  // With a policy that calls nothing safe without a closer look, rules are asked.
  std::vector<Policy> strict = {policies[0]};
  strict[0].thresholds = moderation::Thresholds{.violation = 0.9, .safe = 0.01};
  EXPECT_TRUE(Score(*made.screen, strict, {"the day"})[0].violating_rule.has_value());
}

TEST(CrossScreen, RuleBlocksAreEncodedOnce) {
  const Made made = Make();
  const auto policy = made.screen->Prepare(PolicyOf({"bad", "worse", "worst"}), {}).value();
  const ScreenPolicy* const policies[] = {policy.get()};
  const std::string_view texts[] = {"bad", "the worse day"};
  made.screen->Score(policies, texts, {});
  made.screen->Score(policies, texts, {});
  EXPECT_EQ(made.encoder->policies_encoded, 4U);
}

TEST(CrossScreen, NoPlaceInALongTextIsOverlooked) {
  const Made made = Make();
  const auto policy = made.screen->Prepare(PolicyOf({"bad"}), {}).value();
  const ScreenPolicy* const policies[] = {policy.get()};
  rc::check([&] {
    const auto before = *rc::gen::inRange<std::size_t>(0, 500);
    const auto after = *rc::gen::inRange<std::size_t>(0, 500);
    const std::string head = Harmless(before);
    const std::string text = head + "bad " + Harmless(after);
    const std::string_view texts[] = {text};
    const ScreenScore score = made.screen->Score(policies, texts, {})[0];
    RC_ASSERT(score.probability > 0.85);
    RC_ASSERT(score.begin <= head.size());
    RC_ASSERT(score.end >= head.size() + 3);
    RC_ASSERT(score.end - score.begin < 300U);
  });
  EXPECT_LE(made.encoder->longest, 60U);
}

TEST(CrossScreen, TheLineOfTrainingIsOneHalf) {
  FakePairEncoder fake;
  engine::PairConfig config = fake.config();
  config.logit_scale = 0.5;
  config.logit_offset = -0.25;
  config.threshold = 0.3;
  const Made made = Make(&config);
  const double probability = Score(*made.screen, {PolicyOf({"bad"})}, {"bad"})[0].probability;
  // sigmoid(0.5 * 2.1 - 0.25) = 0.690; odds against those of 0.3.
  const double odds = std::exp(0.5 * 2.1 - 0.25) / (0.3 / 0.7);
  EXPECT_NEAR(probability, odds / (1 + odds), 1e-6);
}

TEST(CrossScreen, LabelledCasesBendIt) {
  Policy policy = PolicyOf({"bad"});
  const auto scores = [&](const std::vector<GoldenCase>& golden) {
    const Made made = Make();
    return Score(*made.screen, {policy}, {"the strange day", "the bad day", "the long day"},
                 golden);
  };
  std::vector<GoldenCase> golden;
  for (int i = 0; i < 12; ++i) {
    GoldenCase strange;
    strange.content = moderation::UserMessage(Harmless(static_cast<std::size_t>(i)) + "strange");
    strange.expected = Outcome::kViolation;
    GoldenCase plain;
    plain.content = moderation::UserMessage(Harmless(static_cast<std::size_t>(i) + 1));
    golden.push_back(strange);
    golden.push_back(plain);
  }
  const auto before = scores({});
  const auto after = scores(golden);
  EXPECT_LT(before[0].probability, 0.2);
  EXPECT_GT(after[0].probability, 0.5);
  EXPECT_GT(after[1].probability, 0.5);
  EXPECT_LT(after[2].probability, 0.3);
  // One side alone teaches nothing.
  golden.resize(1);
  EXPECT_EQ(scores(golden)[0].probability, before[0].probability);
}

TEST(CrossScreen, CasesAreReadOncePerPolicyText) {
  const Made made = Make();
  GoldenCase bad;
  bad.content = moderation::UserMessage("the bad day");
  bad.expected = Outcome::kViolation;
  GoldenCase good;
  good.content = moderation::UserMessage("the long day");
  const std::vector<GoldenCase> golden = {bad, good};
  ASSERT_TRUE(made.screen->Prepare(PolicyOf({"bad"}), golden));
  EXPECT_EQ(made.encoder->pairs_scored, 2 + kBackgroundTexts.size());
  ASSERT_TRUE(made.screen->Prepare(PolicyOf({"bad"}), golden));
  EXPECT_EQ(made.encoder->pairs_scored, 2 + kBackgroundTexts.size());
  ASSERT_TRUE(made.screen->Prepare(PolicyOf({"worse"}), golden));
  EXPECT_EQ(made.encoder->pairs_scored, 2 * (2 + kBackgroundTexts.size()));
}

TEST(CrossScreen, ATextScoresTheSameAloneAndAmongOthers) {
  const Made made = Make();
  const std::vector<Policy> policies = {PolicyOf({"bad"}), PolicyOf({"worse", "odd"})};
  const std::string lengthy = Harmless(200) + "odd";
  const std::vector<std::string_view> texts = {"bad", lengthy, "", "the worse day. the day."};
  const auto together = Score(*made.screen, policies, texts);
  for (std::size_t t = 0; t < texts.size(); ++t) {
    const auto alone = Score(*made.screen, policies, {texts[t]});
    for (std::size_t p = 0; p < 2; ++p) {
      EXPECT_EQ(alone[p].probability, together[t * 2 + p].probability);
      EXPECT_EQ(alone[p].begin, together[t * 2 + p].begin);
      EXPECT_EQ(alone[p].violating_rule, together[t * 2 + p].violating_rule);
    }
  }
}

}  // namespace
}  // namespace safeguard::judges
