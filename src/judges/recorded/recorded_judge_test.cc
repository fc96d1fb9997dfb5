#include "judges/recorded_judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "judges/recorded/answers.h"

namespace safeguard::judges {
namespace {

using moderation::Outcome;
using moderation::UndeterminedReason;
using ::testing::HasSubstr;

constexpr std::string_view kPolicy =
    "---\nid: spam\n---\n# Spam\n## VIOLATES (1)\n- **SP2.a** Ads.\n## SAFE (0)\n- **SP0.a** "
    "Asks.\n";

class Recorded : public testing::Test {
 protected:
  ~Recorded() override { std::remove(path_.c_str()); }

  void Write(const std::string& lines) { std::ofstream(path_) << lines; }
  moderation::Verdict Decide(moderation::Content content) {
    auto judge = OpenRecordedJudge({path_, ranks_, by_line_});
    EXPECT_TRUE(judge.has_value()) << (judge ? "" : Describe(judge.error()));
    const auto policy = moderation::ReadPolicy(kPolicy, "spam");
    const auto prepared = (*judge)->Prepare(*policy, {});
    return (*judge)->Decide({&*prepared, 1}, {&content, 1}).front();
  }
  std::string Error() {
    const auto judge = OpenRecordedJudge({path_, ranks_});
    return judge ? "" : Describe(judge.error());
  }
  // Every byte a token of its own: enough to read channels.
  void UseTokenizer() {
    constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    ranks_ = path_ + ".ranks";
    std::ofstream file(ranks_);
    for (unsigned byte = 0; byte < 256; ++byte) {
      file << alphabet[byte >> 2U] << alphabet[(byte & 3U) << 4U] << "== " << byte << "\n";
    }
  }

  std::string path_ = testing::TempDir() + "/recorded-" + std::to_string(::getpid());
  std::string ranks_;
  bool by_line_ = false;
};

TEST_F(Recorded, AnswersByTextAndById) {
  Write(
      "{\"text\":\"buy now\",\"final\":\"1\",\"reasoning\":\"an ad\"}\n\n"
      "{\"id\":\"7\",\"policy\":\"spam\",\"answer\":\"{\\\"violation\\\":0}\"}\n");
  const moderation::Verdict ad = Decide(moderation::UserMessage("buy now"));
  EXPECT_EQ(ad.outcome, Outcome::kViolation);
  EXPECT_EQ(ad.reasoning, "an ad");
  EXPECT_EQ(ad.decided_by.layer, "recorded");
  moderation::Content content = moderation::UserMessage("something else");
  content.id = "7";
  EXPECT_EQ(Decide(content).outcome, Outcome::kSafe);
  EXPECT_EQ(Decide(moderation::UserMessage("never seen")).reason,
            UndeterminedReason::kModelUnavailable);
}

TEST_F(Recorded, AConversationIsNotItsLastMessage) {
  Write("{\"text\":\"yes\",\"final\":\"0\"}\n{\"id\":\"c\",\"final\":\"1\"}\n");
  moderation::Content chat;
  chat.kind = moderation::ContentKind::kConversation;
  chat.messages = {{moderation::Role::kUser, "sell me that?"},
                   {moderation::Role::kAssistant, "yes"}};
  EXPECT_EQ(Decide(chat).reason, UndeterminedReason::kModelUnavailable);
  chat.id = "c";
  EXPECT_EQ(Decide(chat).outcome, Outcome::kViolation);
}

TEST_F(Recorded, HarmonyIsReadFromItsTokens) {
  UseTokenizer();
  Write(
      "{\"text\":\"a\",\"completion\":\"<|channel|>analysis<|message|>hm <|x|><|end|><|start|>"
      "assistant<|channel|>final<|message|>SP2.a<|return|>\"}\n"
      "{\"text\":\"b\",\"completion\":\"<|channel|>analysis<|message|>it says 0\"}\n"
      "{\"text\":\"c\",\"tokens\":[200005,102,105,110,97,108,200008,48,200002]}\n");
  const moderation::Verdict verdict = Decide(moderation::UserMessage("a"));
  EXPECT_EQ(verdict.outcome, Outcome::kViolation);
  EXPECT_EQ(verdict.reasoning, "hm <|x|>");
  EXPECT_EQ(Decide(moderation::UserMessage("b")).reason, UndeterminedReason::kUnfinishedReasoning);
  EXPECT_EQ(Decide(moderation::UserMessage("c")).outcome, Outcome::kSafe);
  std::remove(ranks_.c_str());
}

TEST_F(Recorded, AnswersOfEveryKind) {
  Write(
      "{\"id\":\"object\",\"answer\":{\"violation\":1}}\n"
      "{\"id\":\"number\",\"final\":0}\n"
      "{\"id\":\"word\",\"output\":\"INVALID\"}\n"
      "{\"id\":\"plain\",\"completion\":\"SP2.a\"}\n"
      "{\"id\":\"refusal\",\"raw\":\"I'm sorry, but I can't help with that.\"}\n");
  const auto of = [this](const std::string& id) {
    moderation::Content content = moderation::UserMessage("any");
    content.id = id;
    return Decide(content);
  };
  EXPECT_EQ(of("object").outcome, Outcome::kViolation);
  EXPECT_EQ(of("object").adherence->form, "json");
  EXPECT_EQ(of("number").outcome, Outcome::kSafe);
  EXPECT_EQ(of("word").outcome, Outcome::kViolation);
  EXPECT_EQ(of("word").adherence->form, "label");
  EXPECT_EQ(of("plain").outcome, Outcome::kViolation);
  EXPECT_EQ(of("plain").adherence->cited, 1U);
  EXPECT_EQ(of("refusal").reason, UndeterminedReason::kRefusal);
  EXPECT_EQ(of("refusal").adherence->form, "prose");
  EXPECT_FALSE(of("nobody").adherence);
}

TEST_F(Recorded, ByLineTheSameTextMayBeAnsweredTwice) {
  by_line_ = true;
  Write("{\"prompt\":\"a\",\"final\":\"1\"}\n\n{\"prompt\":\"a\",\"final\":\"0\"}\n");
  moderation::Content content = moderation::UserMessage("a");
  content.id = "line 1";
  EXPECT_EQ(Decide(content).outcome, Outcome::kViolation);
  content.id = "line 3";
  EXPECT_EQ(Decide(content).outcome, Outcome::kSafe);
  content.id = "line 2";
  EXPECT_EQ(Decide(content).reason, UndeterminedReason::kModelUnavailable);
}

TEST_F(Recorded, WhatCannotBeReadIsNamedByItsLine) {
  Write("{\"text\":\"a\",\"final\":\"1\"}\n{oops\n");
  EXPECT_THAT(Error(), HasSubstr("line 2 is not a JSON object"));
  Write("{\"text\":\"a\"}\n");
  EXPECT_THAT(Error(), HasSubstr("line 1: has no answer"));
  Write("{\"final\":\"1\"}\n");
  EXPECT_THAT(Error(), HasSubstr("which content"));
  Write("{\"text\":\"a\",\"final\":\"1\"}\n{\"text\":\"a\",\"final\":\"0\"}\n");
  EXPECT_THAT(Error(), HasSubstr("line 2: answers a content that was answered before"));
  Write("{\"text\":\"a\",\"x\":" + std::string(100, '[') + "\n");
  EXPECT_THAT(Error(), HasSubstr("line 1 is nested too deeply"));
  Write("{\"text\":\"a\",\"tokens\":[1]}\n");
  EXPECT_THAT(Error(), HasSubstr("tokenizer"));
  UseTokenizer();
  Write("{\"text\":\"a\",\"tokens\":[-1]}\n");
  EXPECT_THAT(Error(), HasSubstr("no o200k_harmony id"));
  std::remove(ranks_.c_str());
}

}  // namespace
}  // namespace safeguard::judges
