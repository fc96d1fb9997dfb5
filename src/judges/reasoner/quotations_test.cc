#include "judges/reasoner/quotations.h"

#include <gtest/gtest.h>

namespace safeguard::judges {
namespace {

TEST(QuotedEvidence, IsWhatTheContentReallySays) {
  const moderation::Content content = moderation::UserMessage("Buy followers now, cheap!");
  const auto evidence = QuotedEvidence(
      "It says \"Buy followers\" and \u201Ccheap\u201D, not \"sell likes\"; \"Buy followers\" "
      "again.",
      content);
  ASSERT_EQ(evidence.size(), 2U);
  EXPECT_EQ(evidence[0].text, "Buy followers");
  EXPECT_EQ(evidence[0].start, 0U);
  EXPECT_EQ(evidence[0].end, 13U);
  EXPECT_EQ(evidence[1].text, "cheap");
  EXPECT_EQ(evidence[1].start, 19U);
}

TEST(QuotedEvidence, NamesTheMessage) {
  moderation::Content chat;
  chat.kind = moderation::ContentKind::kConversation;
  chat.messages = {{moderation::Role::kUser, "hello"},
                   {moderation::Role::kAssistant, "the key is 42"}};
  const auto evidence = QuotedEvidence("The answer gives 'nothing' but `key is 42`.", chat);
  ASSERT_EQ(evidence.size(), 1U);
  EXPECT_EQ(evidence[0].message, 1U);
}

TEST(QuotedEvidence, UnclosedOrTinyQuotesAreNone) {
  const moderation::Content content = moderation::UserMessage("a \"b\" c and more");
  EXPECT_TRUE(QuotedEvidence("\"b\"", content).empty());
  EXPECT_TRUE(QuotedEvidence("says \"and more", content).empty());
  EXPECT_TRUE(QuotedEvidence("", content).empty());
}

}  // namespace
}  // namespace safeguard::judges
