#include "eval/golden_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <sstream>
#include <string>

namespace safeguard::eval {
namespace {

using moderation::GoldenCase;
using moderation::Outcome;
using testing::HasSubstr;

Result<std::vector<GoldenCase>> Read(const std::string& bytes) {
  std::istringstream in(bytes);
  return ReadGoldenSet(in, "golden.jsonl");
}

TEST(GoldenSetTest, ReadsCases) {
  const auto cases = Read(
      "{\"id\": \"1\", \"text\": \"a\", \"expected\": \"violation\", \"rules\": [\"R1\"]}\n"
      "{\"id\": \"2\", \"messages\": [{\"role\": \"user\", \"content\": \"q\"}, {\"role\": "
      "\"assistant\", \"content\": \"r\"}], \"expected\": \"safe\"}\n");
  ASSERT_TRUE(cases) << Describe(cases.error());
  ASSERT_EQ(cases->size(), 2U);
  EXPECT_EQ((*cases)[0].expected, Outcome::kViolation);
  EXPECT_EQ((*cases)[0].rule_ids, std::vector<std::string>{"R1"});
  EXPECT_EQ((*cases)[1].content.messages.size(), 2U);
}

TEST(GoldenSetTest, IsStrict) {
  EXPECT_THAT(Read("{\"text\": \"a\", \"expected\": \"safe\"}\nx\n").error().message,
              HasSubstr("golden.jsonl, line 2: "));
  EXPECT_THAT(Read("{\"text\": \"a\"}\n").error().message, HasSubstr("what is expected"));
  EXPECT_THAT(Read("{\"id\": 1, \"text\": \"a\", \"expected\": \"safe\"}\n"
                   "{\"id\": 1, \"text\": \"b\", \"expected\": \"safe\"}\n")
                  .error()
                  .message,
              HasSubstr("stands twice"));
  EXPECT_THAT(Read("\n\n").error().message, HasSubstr("no cases"));
}

TEST(GoldenSetTest, WrittenCasesAreReadBack) {
  EXPECT_TRUE(rc::check("a line gives the case back", [] {
    GoldenCase golden;
    const auto word = rc::gen::container<std::string>(
        rc::gen::element<char>('a', '"', '\\', '\n', '\t', '{', '1', ' ', 'z'));
    golden.content = *rc::gen::arbitrary<bool>() ? moderation::UserMessage(*word)
                                                 : moderation::Completion(*word);
    if (*rc::gen::arbitrary<bool>()) {
      golden.content.kind = moderation::ContentKind::kConversation;
      golden.content.messages.push_back({.role = moderation::Role::kTool, .text = *word});
    }
    golden.content.id = *word;
    golden.content.surface = *word;
    golden.content.language = *word;
    golden.expected = *rc::gen::arbitrary<bool>() ? Outcome::kViolation : Outcome::kSafe;
    golden.rule_ids = {"SP2.a", "R 1"};
    golden.label = "SP2";
    golden.tags = {"boundary"};
    const auto back = Read(GoldenLine(golden) + "\n");
    RC_ASSERT(back.has_value());
    const GoldenCase& got = back->front();
    RC_ASSERT(got.content.id == golden.content.id);
    RC_ASSERT(got.content.kind == golden.content.kind);
    RC_ASSERT(got.content.messages.size() == golden.content.messages.size());
    for (std::size_t i = 0; i < got.content.messages.size(); ++i) {
      RC_ASSERT(got.content.messages[i].text == golden.content.messages[i].text);
      RC_ASSERT(got.content.messages[i].role == golden.content.messages[i].role);
    }
    RC_ASSERT(got.content.surface == golden.content.surface);
    RC_ASSERT(got.content.language == golden.content.language);
    RC_ASSERT(got.expected == golden.expected);
    RC_ASSERT(got.rule_ids == golden.rule_ids);
    RC_ASSERT(got.label == golden.label);
    RC_ASSERT(got.tags == golden.tags);
  }));
}

}  // namespace
}  // namespace safeguard::eval
