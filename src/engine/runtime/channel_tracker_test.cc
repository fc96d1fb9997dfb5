#include "engine/runtime/channel_tracker.h"

#include <gtest/gtest.h>

namespace safeguard::engine {
namespace {

using Ids = std::vector<std::uint32_t>;

// o200k_harmony's own ids.
ChannelTracker After(const Ids& prompt, const Ids& answer = {}) {
  ChannelTracker tracker{ChannelTokens{}};
  tracker.Restart(prompt);
  for (const std::uint32_t id : answer) {
    tracker.Feed(id);
  }
  return tracker;
}

const Ids kPrompt{200006, 1428, 200008, 4827, 200007, 200006, 173781};

TEST(ChannelTrackerTest, FinalOpensAtItsMessageToken) {
  EXPECT_FALSE(After(kPrompt).in_final());
  EXPECT_FALSE(After(kPrompt, {200005, 17196}).in_final());
  EXPECT_TRUE(After(kPrompt, {200005, 17196, 200008}).in_final());
  EXPECT_TRUE(After(kPrompt, {200005, 17196, 200008, 4827, 17}).in_final());
  EXPECT_FALSE(After(kPrompt, {200005, 17196, 200008, 4827, 200007}).in_final());
}

TEST(ChannelTrackerTest, VariantsOfTheWayToFinal) {
  EXPECT_TRUE(After(kPrompt, {200005, 17196, 220, 200003, 4108, 200008}).in_final())
      << "final <|constrain|>json";
  EXPECT_TRUE(After(kPrompt, {200005, 35644, 200008, 9, 200007, 200006, 173781, 200005, 35644,
                              200008, 9, 200007, 200006, 173781, 200005, 17196, 200008})
                  .in_final())
      << "two analysis messages";
  EXPECT_TRUE(
      After(kPrompt, {200005, 12606, 815, 200008, 9, 200007, 200006, 173781, 200005, 17196, 200008})
          .in_final())
      << "commentary without a recipient";
  EXPECT_FALSE(After(kPrompt, {200005, 35644, 200008, 17196, 200008}).in_final())
      << "the word final inside an analysis";
  EXPECT_FALSE(After(kPrompt, {200005, 35644, 200008, 200005, 17196, 200008}).in_final())
      << "control tokens inside an analysis without a start";
}

TEST(ChannelTrackerTest, TheEmptyAnalysisPrefillIsInFinal) {
  Ids prompt = kPrompt;
  for (const std::uint32_t id :
       {200005, 35644, 200008, 200007, 200006, 173781, 200005, 17196, 200008}) {
    prompt.push_back(id);
  }
  EXPECT_TRUE(After(prompt).in_final());
  EXPECT_EQ(After(prompt).messages(), 0U);
}

TEST(ChannelTrackerTest, ClosingFromEveryPlaceReachesFinal) {
  const Ids whole{200007, 200006, 173781, 200005, 17196, 200008};
  EXPECT_EQ(After(kPrompt, {200005, 35644, 200008, 9}).OpenFinal(), whole);
  EXPECT_EQ(After(kPrompt).OpenFinal(), (Ids{200005, 17196, 200008}));
  EXPECT_EQ(After(kPrompt, {200005}).OpenFinal(), (Ids{17196, 200008}));
  EXPECT_EQ(After(kPrompt, {200005, 17196}).OpenFinal(), (Ids{200008}));
  EXPECT_EQ(After(kPrompt, {200005, 35644, 200008, 200007}).OpenFinal(),
            (Ids{200006, 173781, 200005, 17196, 200008}));
  EXPECT_EQ(After(kPrompt, {200005, 35644}).OpenFinal(),
            (Ids{200008, 200007, 200006, 173781, 200005, 17196, 200008}));
  // And by brute force: from any short walk, the forced ids end inside a final message.
  const Ids all{200005, 200006, 200007, 200008, 173781, 17196, 35644, 9};
  for (std::size_t walk = 0; walk < all.size() * all.size() * all.size() * all.size(); ++walk) {
    Ids answer;
    for (std::size_t rest = walk, i = 0; i < 4; ++i, rest /= all.size()) {
      answer.push_back(all[rest % all.size()]);
    }
    ChannelTracker tracker = After(kPrompt, answer);
    if (tracker.in_final()) {
      continue;
    }
    for (const std::uint32_t id : tracker.OpenFinal()) {
      EXPECT_FALSE(tracker.in_final());
      tracker.Feed(id);
    }
    ASSERT_TRUE(tracker.in_final()) << walk;
  }
}

}  // namespace
}  // namespace safeguard::engine
