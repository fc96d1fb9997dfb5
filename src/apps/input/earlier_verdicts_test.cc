#include "apps/input/earlier_verdicts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/fake_services.h"

namespace safeguard::apps {
namespace {

using ::testing::HasSubstr;

class EarlierVerdictsTest : public ::testing::Test {
 protected:
  Result<EarlierVerdicts> Read(const std::string& text) {
    return EarlierVerdicts::Read(folder_.Write("then.jsonl", text), "spam");
  }
  std::string ErrorOf(const std::string& text) {
    const auto read = Read(text);
    return read ? "none" : Describe(read.error());
  }
  TestFolder folder_;
};

TEST_F(EarlierVerdictsTest, FindsByIdElseByLine) {
  const auto verdicts = Read(
      R"({"line":1,"id":"a","policy":"spam","outcome":"violation","score":0.75,"rule_ids":["R1"]})"
      "\n"
      R"({"line":2,"policy":"spam","outcome":"safe","score":null})"
      "\n\n"
      R"({"line":2,"policy":"hate","outcome":"violation"})"
      "\n");
  ASSERT_TRUE(verdicts.has_value()) << Describe(verdicts.error());
  EXPECT_EQ(verdicts->size(), 2U);
  eval::Record record;
  record.line = 2;
  ASSERT_NE(verdicts->Find(record), nullptr);
  EXPECT_EQ(verdicts->Find(record)->outcome, moderation::Outcome::kSafe);
  EXPECT_FALSE(verdicts->Find(record)->score.has_value());
  record.content.id = "a";
  EXPECT_EQ(verdicts->Find(record)->rule_ids, std::vector<std::string>{"R1"});
  record.content.id = "b";
  EXPECT_EQ(verdicts->Find(record), nullptr);
}

TEST_F(EarlierVerdictsTest, NamesTheLineThatIsNone) {
  const std::string good = R"({"id":"a","outcome":"safe"})"
                           "\n";
  EXPECT_THAT(ErrorOf(good + "not json\n"), HasSubstr("line 2: is no verdict"));
  EXPECT_THAT(ErrorOf(good + R"({"id":"b","outcome":"maybe"})"),
              HasSubstr("line 2: has the outcome"));
  EXPECT_THAT(ErrorOf(good + good), HasSubstr("line 2: is the second verdict"));
  EXPECT_THAT(ErrorOf(R"({"outcome":"safe"})"), HasSubstr("names no content"));
  EXPECT_THAT(ErrorOf(R"({"id":"b","outcome":"safe","score":7})"), HasSubstr("from 0 to 1"));
  EXPECT_THAT(ErrorOf(R"({"id":"b","policy":"hate","outcome":"safe"})"),
              HasSubstr("there are some of hate"));
  EXPECT_THAT(ErrorOf(""), HasSubstr("has no verdict of the policy spam"));
}

}  // namespace
}  // namespace safeguard::apps
