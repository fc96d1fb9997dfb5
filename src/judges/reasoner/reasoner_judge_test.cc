#include "judges/reasoner/reasoner_judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/model_precision.h"
#include "judges/reasoner/fake_generator.h"
#include "moderation/receipt.h"

namespace safeguard::judges {
namespace {

using engine::FinishReason;
using engine::GenerationRequest;
using engine::GenerationResult;
using moderation::Outcome;
using moderation::UndeterminedReason;
using moderation::Verdict;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kSpam = R"(---
id: spam
---
# Spam
Output only `{"violation": 0|1, "policy_category": "SP2", "rule_ids": [], "rationale": ""}`
## VIOLATES (1)
### SP2 - Ads
- **SP2.a** Ads.
## SAFE (0)
### SP0 - Fine
- **SP0.a** Asks.
)";

class ReasonerJudgeTest : public testing::Test {
 protected:
  ReasonerJudgeTest() {
    auto bpe = engine::Bpe::LoadRanks(test::ByteRanks());
    EXPECT_TRUE(bpe.has_value());
    bpe_ = std::move(*bpe);
    Answer(
        "An ad.",
        R"({"violation":1,"policy_category":"SP2","rule_ids":["SP2.a"],"rationale":"It says \"buy now\"."})");
  }

  void Answer(const std::string& reasoning, const std::string& final) {
    generator_.answer = [this, reasoning, final](const GenerationRequest&) {
      return test::Answered(*bpe_, reasoning, final);
    };
  }
  void Finish(FinishReason reason, bool opened) {
    generator_.answer = [this, reason, opened](const GenerationRequest&) {
      GenerationResult result = test::Answered(*bpe_, "thinking", "0");
      result.finish = reason;
      result.final_opened = opened;
      if (!opened) {
        result.final_begin = result.final_end = 0;
      }
      return result;
    };
  }
  std::unique_ptr<moderation::Judge> Judge(const ReasonerOptions& options = {}) {
    Result<ReasonerSettings> settings = UnderstandOptions(options);
    EXPECT_TRUE(settings.has_value());
    return MakeReasonerJudge(generator_, *bpe_, {"", "model", "hash"}, *settings);
  }
  std::vector<Verdict> Decide(const std::vector<moderation::Content>& contents,
                              const ReasonerOptions& options = {},
                              const std::vector<std::string>& texts = {std::string(kSpam)}) {
    const auto judge = Judge(options);
    std::vector<std::shared_ptr<const moderation::PreparedPolicy>> prepared;
    for (const std::string& text : texts) {
      const Result<moderation::Policy> policy = moderation::ReadPolicy(text, "test");
      EXPECT_TRUE(policy.has_value());
      auto ready = judge->Prepare(*policy, {});
      EXPECT_TRUE(ready.has_value()) << (ready ? "" : Describe(ready.error()));
      prepared.push_back(*ready);
    }
    return judge->Decide(prepared, contents);
  }
  Verdict DecideOne(const std::string& text, const ReasonerOptions& options = {}) {
    return Decide({moderation::UserMessage(text)}, options).front();
  }
  std::string PromptText(std::size_t request) {
    std::string text;
    for (const std::uint32_t id : generator_.requests.at(request).prompt) {
      text += id < 256 ? std::string(1, static_cast<char>(id)) : "<" + std::to_string(id) + ">";
    }
    return text;
  }

  std::unique_ptr<engine::Bpe> bpe_;
  test::FakeGenerator generator_;
};

TEST_F(ReasonerJudgeTest, AVerdictWithItsGroundsAndItsOrigin) {
  const Verdict verdict = DecideOne("please buy now");
  EXPECT_EQ(verdict.outcome, Outcome::kViolation);
  EXPECT_THAT(verdict.rule_ids, ElementsAre("SP2.a"));
  EXPECT_EQ(verdict.category, "SP2");
  EXPECT_EQ(verdict.reasoning, "An ad.");
  ASSERT_EQ(verdict.evidence.size(), 1U);
  EXPECT_EQ(verdict.evidence[0].text, "buy now");
  EXPECT_EQ(verdict.decided_by.layer, "reasoner");
  EXPECT_EQ(verdict.decided_by.model, "model");
  EXPECT_EQ(verdict.decided_by.settings.at("template"), kPromptTemplate);
  EXPECT_EQ(verdict.decided_by.settings.at("effort"), "low");
  EXPECT_EQ(verdict.decided_by.settings.at("precision"),
            engine::ToString(engine::MachinesPrecision()));
  const std::string prompt = verdict.decided_by.settings.at("prompt_ids");
  EXPECT_EQ(prompt.size(), 64U);
  EXPECT_EQ(verdict.decided_by.settings.at("answer_ids").size(), 64U);
  EXPECT_EQ(DecideOne("please buy now").decided_by.settings, verdict.decided_by.settings);
  EXPECT_NE(DecideOne("please sell now").decided_by.settings.at("prompt_ids"), prompt);
}

TEST_F(ReasonerJudgeTest, ThePromptIsSystemPolicyContent) {
  DecideOne("please <|end|> buy");
  const std::string prompt = PromptText(0);
  EXPECT_THAT(prompt, HasSubstr("Reasoning: low"));
  EXPECT_THAT(prompt, HasSubstr("<200006>developer<200008># Instructions\n\n# Spam"));
  EXPECT_THAT(prompt, Not(HasSubstr("id: spam")));  // front matter is ours, not the model's
  EXPECT_TRUE(prompt.ends_with("<200006>user<200008>please <|end|> buy<200007><200006>assistant"));
  const GenerationRequest& request = generator_.requests[0];
  ASSERT_EQ(request.prefix_ends.size(), 1U);
  EXPECT_EQ(request.prompt[request.prefix_ends[0]], 200'006U);  // the user's message begins there
  EXPECT_TRUE(request.grammar != nullptr);
  EXPECT_TRUE(request.reasoning.has_value());
}

TEST_F(ReasonerJudgeTest, AnOwnersPolicySharesNoPrefixWithAnothers) {
  const auto judge = Judge({});
  const auto policy = moderation::ReadPolicy(kSpam, "test");
  const moderation::Content content = moderation::UserMessage("buy now");
  for (const char* owner : {"", "acme", "bolt"}) {
    const auto prepared = *judge->PrepareFor(*policy, {}, owner);
    judge->Decide(std::span(&prepared, 1), std::span(&content, 1));
    EXPECT_EQ(generator_.requests.back().prefix_salt, owner);
    EXPECT_EQ(generator_.requests.back().tenant, owner);
  }
  EXPECT_EQ(generator_.requests[0].prompt, generator_.requests[2].prompt) << "nor anything else";
}

TEST_F(ReasonerJudgeTest, WhatNobodyWaitsForIsCalledOff) {
  const auto judge = Judge({});
  const auto policy = moderation::ReadPolicy(kSpam, "test");
  const auto prepared = *judge->Prepare(*policy, {});
  const moderation::Content content = moderation::UserMessage("buy now");
  const auto decide = [&](bool over) {
    return judge
        ->DecideUntil(std::span(&prepared, 1), std::span(&content, 1), [over] { return over; })
        .front();
  };
  EXPECT_EQ(decide(false).outcome, Outcome::kViolation);
  EXPECT_TRUE(generator_.cancelled.empty());
  Finish(FinishReason::kCancelled, false);
  EXPECT_EQ(decide(true).outcome, Outcome::kUndetermined);
  EXPECT_EQ(generator_.cancelled.size(), 1U);
}

TEST_F(ReasonerJudgeTest, AnotherDrawChangesTheSeedAlone) {
  ReasonerOptions options;
  options.seed = 40;
  const auto judge = Judge(options);
  const auto policy = moderation::ReadPolicy(kSpam, "test");
  const auto prepared = *judge->Prepare(*policy, {});
  const moderation::Content content = moderation::UserMessage("buy now");
  const auto draw = [&](std::uint64_t sample) {
    return judge->DecideSample(std::span(&prepared, 1), std::span(&content, 1), sample).front();
  };
  EXPECT_EQ(draw(0).decided_by.settings.at("seed"), "40");
  EXPECT_EQ(draw(2).decided_by.settings.at("seed"), "42");
  EXPECT_EQ(generator_.requests[0].sampling.seed, 40U);
  EXPECT_EQ(generator_.requests[1].sampling.seed, 42U);
  EXPECT_EQ(generator_.requests[0].prompt, generator_.requests[1].prompt);
}

TEST_F(ReasonerJudgeTest, ContentsShareThePrefixAndKeepTheirPlaces) {
  generator_.answer = [this](const GenerationRequest& request) {
    return test::Answered(
        *bpe_, "", request.prompt.size() % 2 == 0 ? R"({"violation":0})" : R"({"violation":1})");
  };
  const auto verdicts = Decide({moderation::UserMessage("ab"), moderation::UserMessage("abc"),
                                moderation::UserMessage(" "), moderation::UserMessage("abcd")});
  ASSERT_EQ(verdicts.size(), 4U);
  EXPECT_NE(verdicts[0].outcome, verdicts[1].outcome);
  EXPECT_EQ(verdicts[2].reason, UndeterminedReason::kEmptyContent);
  EXPECT_EQ(verdicts[0].outcome, verdicts[3].outcome);
  EXPECT_EQ(generator_.requests.size(), 3U);
}

TEST_F(ReasonerJudgeTest, SeveralPoliciesShareTheirCommonBeginning) {
  std::string longer(kSpam);
  longer += "### SP9 - More\n- **SP9.a** More.\n";
  Decide({moderation::UserMessage("ab")}, {}, {std::string(kSpam), longer});
  ASSERT_EQ(generator_.requests.size(), 2U);
  const GenerationRequest& first = generator_.requests[0];
  const GenerationRequest& second = generator_.requests[1];
  ASSERT_EQ(first.prefix_ends.size(), 2U);
  ASSERT_EQ(second.prefix_ends.size(), 2U);
  const std::size_t shared = first.prefix_ends[0];
  EXPECT_EQ(second.prefix_ends[0], shared);
  EXPECT_GT(shared, kSpam.size()) << "more than the system message";
  EXPECT_TRUE(std::equal(first.prompt.begin(),
                         first.prompt.begin() + static_cast<std::ptrdiff_t>(shared),
                         second.prompt.begin()));
  EXPECT_NE(first.prompt[shared], second.prompt[shared]);
}

TEST_F(ReasonerJudgeTest, AnAnswerThatDidNotEndIsUndetermined) {
  Finish(FinishReason::kTokenLimit, false);
  EXPECT_EQ(DecideOne("x").reason, UndeterminedReason::kUnfinishedReasoning);
  Finish(FinishReason::kTokenLimit, true);
  EXPECT_EQ(DecideOne("x").reason, UndeterminedReason::kUnreadableAnswer);
  Finish(FinishReason::kTimeLimit, false);
  EXPECT_EQ(DecideOne("x").reason, UndeterminedReason::kUnfinishedReasoning);
  Finish(FinishReason::kTimeLimit, true);
  EXPECT_EQ(DecideOne("x").reason, UndeterminedReason::kTimeout);
  Finish(FinishReason::kStopToken, false);
  EXPECT_EQ(DecideOne("x").reason, UndeterminedReason::kUnreadableAnswer);
  Finish(FinishReason::kError, false);
  EXPECT_EQ(DecideOne("x").reason, UndeterminedReason::kInternalError);
  Finish(FinishReason::kCancelled, true);
  EXPECT_EQ(DecideOne("x").outcome, Outcome::kUndetermined);
  generator_.full = true;
  EXPECT_EQ(DecideOne("x").reason, UndeterminedReason::kOverload);
}

TEST_F(ReasonerJudgeTest, RefusalsEchoesAndObedienceAreNamed) {
  Answer("", "I'm sorry, but I can't help with that.");
  EXPECT_EQ(DecideOne("x").reason, UndeterminedReason::kRefusal);
  Answer("", "Answer (1 or 0):");
  EXPECT_EQ(DecideOne("x").reason, UndeterminedReason::kEchoedCue);
  Answer("", "Once upon a time there was a dragon.");
  EXPECT_EQ(DecideOne("x").reason, UndeterminedReason::kObeyedContent);
}

TEST_F(ReasonerJudgeTest, TheScoreIsReadAtTheVerdict) {
  generator_.answer = [this](const GenerationRequest& request) {
    EXPECT_EQ(request.probe->after, "{\"violation\":");
    EXPECT_THAT(request.probe->labels, ElementsAre("1", "0"));
    EXPECT_TRUE(request.probe->relative);
    EXPECT_FALSE(request.sampling.logprobs);
    GenerationResult result = test::Answered(*bpe_, "", R"({"violation":1})");
    result.scores = engine::LabelScores{{-0.1, -2.3}, {0.9, 0.1}, 0.99};
    return result;
  };
  EXPECT_DOUBLE_EQ(DecideOne("x").score.value(), 0.9);
}

TEST_F(ReasonerJudgeTest, AnInstantScoreDecidesWithoutReasoning) {
  ReasonerOptions options;
  options.instant = true;
  generator_.answer = [](const GenerationRequest& request) {
    EXPECT_TRUE(request.probe->stop);
    GenerationResult result;
    result.finish = FinishReason::kProbed;
    result.scores = engine::LabelScores{{-2.3, -0.1}, {0.2, 0.8}, 0.99};
    return result;
  };
  const Verdict verdict = DecideOne("x", options);
  EXPECT_EQ(verdict.outcome, Outcome::kSafe);
  EXPECT_DOUBLE_EQ(verdict.score.value(), 0.2);
  EXPECT_EQ(verdict.decided_by.settings.at("effort"), "none");
  EXPECT_TRUE(PromptText(0).ends_with("<200008><200007><200006>assistant<200005>final<200008>"));
}

TEST_F(ReasonerJudgeTest, SeveralPoliciesInOnePromptReadTheirOwnPart) {
  ReasonerOptions options;
  options.joint = true;
  std::string other(kSpam);
  other.replace(other.find("id: spam"), 8, "id: scam");
  Answer("", R"({"spam":{"violation":1,"rule_ids":["SP2.a"]},"scam":{"violation":0}})");
  const auto verdicts =
      Decide({moderation::UserMessage("x")}, options, {std::string(kSpam), other});
  ASSERT_EQ(verdicts.size(), 2U);
  EXPECT_EQ(generator_.requests.size(), 1U);
  EXPECT_EQ(verdicts[0].outcome, Outcome::kViolation);
  EXPECT_EQ(verdicts[1].outcome, Outcome::kSafe);
  const auto joint = moderation::JointPoliciesOf(verdicts[1].decided_by.settings);
  ASSERT_TRUE(joint && joint->size() == 2) << "a receipt needs all of the prompt";
  EXPECT_EQ(joint->at(0).hash, verdicts[0].policy.hash);
  EXPECT_EQ(joint->at(1).id, "scam");
  EXPECT_TRUE(moderation::JointPoliciesOf(DecideOne("x", options).decided_by.settings)->empty())
      << "one policy is a prompt of its own";
}

TEST_F(ReasonerJudgeTest, WhatIsTooLongIsSaidNotCut) {
  ReasonerOptions options;
  options.content_bytes_max = 10;
  EXPECT_EQ(DecideOne("more than ten bytes", options).reason, UndeterminedReason::kContentTooLong);
  EXPECT_EQ(DecideOne(std::string(140'000, 'a')).reason, UndeterminedReason::kContentTooLong);
}

TEST(UnderstandOptions, NamesTheChoices) {
  ReasonerOptions options;
  options.effort = "extreme";
  EXPECT_THAT(Describe(UnderstandOptions(options).error()), HasSubstr("low, medium, high"));
  options = {};
  options.answer = "xml";
  EXPECT_THAT(Describe(UnderstandOptions(options).error()), HasSubstr("rationale"));
  options = {};
  options.placement = "user";
  EXPECT_THAT(Describe(UnderstandOptions(options).error()), HasSubstr("hf-template"));
  options = {};
  options.drafts = "never";
  EXPECT_THAT(Describe(UnderstandOptions(options).error()), HasSubstr("off, auto, always"));
}

TEST_F(ReasonerJudgeTest, ThinksAloudUnderEachPolicy) {
  generator_.answer = [this](const GenerationRequest&) {
    GenerationResult result =
        test::Answered(*bpe_, "Ist das S\u00fc\u00dfes?", R"({"violation":0})");
    // A second message of the analysis: Harmony lets a model begin again.
    GenerationResult more = test::Answered(*bpe_, "No.", R"({"violation":0})");
    const auto first = result.tokens.begin();
    const auto end = std::ranges::find(result.tokens, 200'007U, &engine::GeneratedToken::id);
    std::vector<engine::GeneratedToken> tokens(first, end + 1);
    tokens.push_back({200'006, false, {}, {}});
    for (const std::uint32_t id : bpe_->Encode("assistant")) {
      tokens.push_back({id, false, {}, {}});
    }
    const std::size_t before = tokens.size();
    tokens.insert(tokens.end(), more.tokens.begin(), more.tokens.end());
    more.tokens = tokens;
    more.final_begin += before;
    more.final_end += before;
    return more;
  };
  const auto judge = Judge();
  std::vector<std::shared_ptr<const moderation::PreparedPolicy>> prepared;
  for (const char* id : {"one", "two"}) {
    std::string text(kSpam);
    text.replace(text.find("spam"), 4, id);
    prepared.push_back(*judge->Prepare(*moderation::ReadPolicy(text, "test"), {}));
  }
  std::vector<std::string> heard(2);
  std::size_t pieces = 0;
  const moderation::Onlooker onlooker{[&](std::size_t policy, std::string_view text) {
    heard.at(policy) += text;
    ++pieces;
    EXPECT_FALSE(text.empty());
    EXPECT_NE(static_cast<unsigned char>(text.back()), 0xC3) << "a character was cut";
  }};
  const auto verdicts = judge->DecideAloud(prepared, moderation::UserMessage("x"), onlooker);
  ASSERT_EQ(verdicts.size(), 2U);
  EXPECT_EQ(verdicts[0].outcome, Outcome::kSafe);
  EXPECT_THAT(heard, ElementsAre("Ist das S\u00fc\u00dfes?\nNo.", "Ist das S\u00fc\u00dfes?\nNo."));
  EXPECT_EQ(verdicts[1].reasoning, heard[1]) << "what was heard is what the verdict keeps";
  EXPECT_GT(pieces, 20U) << "token by token, not all at the end";
  EXPECT_TRUE(generator_.cancelled.empty());
}

TEST_F(ReasonerJudgeTest, OneReasoningAboutSeveralPoliciesIsOfNoneOfThem) {
  ReasonerOptions options;
  options.joint = true;
  const auto judge = Judge(options);
  std::vector<std::shared_ptr<const moderation::PreparedPolicy>> prepared;
  for (const char* id : {"one", "two"}) {
    std::string text(kSpam);
    text.replace(text.find("spam"), 4, id);
    prepared.push_back(*judge->Prepare(*moderation::ReadPolicy(text, "test"), {}));
  }
  std::string heard;
  const moderation::Onlooker onlooker{[&](std::size_t policy, std::string_view text) {
    EXPECT_EQ(policy, moderation::Onlooker::kEveryPolicy);
    heard += text;
  }};
  static_cast<void>(judge->DecideAloud(prepared, moderation::UserMessage("x"), onlooker));
  EXPECT_EQ(heard, "An ad.");
}

TEST_F(ReasonerJudgeTest, WhoStopsListeningEndsTheThinking) {
  const auto judge = Judge();
  const auto prepared = *judge->Prepare(*moderation::ReadPolicy(std::string(kSpam), "test"), {});
  std::stop_source stop;
  stop.request_stop();
  Finish(FinishReason::kCancelled, false);
  const Verdict verdict =
      judge
          ->DecideAloud(std::span(&prepared, 1), moderation::UserMessage("x"),
                        {[](std::size_t, std::string_view) {}, stop.get_token()})
          .front();
  EXPECT_EQ(generator_.cancelled.size(), 1U);
  EXPECT_EQ(verdict.outcome, Outcome::kUndetermined) << "never safe";
  EXPECT_EQ(verdict.reason, UndeterminedReason::kTimeout);
}

}  // namespace
}  // namespace safeguard::judges
