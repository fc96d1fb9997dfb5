// Policies as people type them: whole sentences, no lists and no headings.
#include "moderation/policy/prose.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "moderation/policy.h"
#include "moderation/policy/test_reading.h"

namespace safeguard::moderation {
namespace {

using ::testing::ElementsAre;

// "SIDE: TEXT", "rest" where a rule stands for all that is not named.
std::vector<std::string> Rules(std::string_view text) {
  std::vector<std::string> rules;
  for (const Rule& rule : MustRead(text).rules) {
    rules.push_back(std::string(ToString(rule.side)) + (rule.rest ? " rest: " : ": ") + rule.text);
  }
  return rules;
}

TEST(Prose, AnOrderAndTheRest) {
  EXPECT_THAT(Rules("Flag every message that is about chess. Everything else is fine."),
              ElementsAre("violating: Flag every message that is about chess.",
                          "safe rest: Everything else is fine."));
  EXPECT_THAT(Rules("Don't remove posts about chess. We remove posts about bets."),
              ElementsAre("safe: Don't remove posts about chess.",
                          "violating: We remove posts about bets."));
}

TEST(Prose, AVerdictThatOnlyPointsBackTakesWhatItPointsTo) {
  EXPECT_THAT(Rules("Bets on chess games. We don't want those here."),
              ElementsAre("violating: Bets on chess games. We don't want those here."));
  EXPECT_THAT(Rules("Is the post about bets? Then mark it. Is it about chess? Then don't."),
              ElementsAre("violating: Is the post about bets? Then mark it.",
                          "safe: Is it about chess? Then don't."));
}

TEST(Prose, OneSubjectAloneAndTheRestViolates) {
  EXPECT_THAT(Rules("This channel is only for chess puzzles."),
              ElementsAre("safe: This channel is only for chess puzzles.",
                          "violating rest: This channel is only for chess puzzles."));
  EXPECT_THAT(Rules("Purpose of this thread: chess puzzles. Whatever is off topic gets deleted."),
              ElementsAre("safe: Purpose of this thread: chess puzzles.",
                          "violating rest: Whatever is off topic gets deleted."));
  EXPECT_THAT(Rules("We swap chess puzzles here. A message that's not a puzzle is removed."),
              ElementsAre("safe: We swap chess puzzles here.",
                          "violating rest: A message that's not a puzzle is removed."));
}

TEST(Prose, ExceptionsAreTheOtherSide) {
  EXPECT_THAT(Rules("Bets on games are forbidden, unless the stake is a coffee."),
              ElementsAre("violating: Bets on games are forbidden,",
                          "safe: unless the stake is a coffee."));
  EXPECT_THAT(Rules("Allowed: chess. Not allowed: bets on chess."),
              ElementsAre("safe: Allowed: chess.", "violating: Not allowed: bets on chess."));
}

TEST(Prose, WhatIsDeniedOfTheLastRuleIsTheOtherSide) {
  EXPECT_THAT(Rules("Bets are removed. A friendly wager for a coffee isn't a bet."),
              ElementsAre("violating: Bets are removed.",
                          "safe: A friendly wager for a coffee isn't a bet."));
  EXPECT_THAT(Rules("A post about odds violates our scope; a post about openings does not."),
              ElementsAre("violating: A post about odds violates our scope;",
                          "safe: a post about openings does not."));
}

TEST(Prose, WhatContentIsAboutIsNoOrder) {
  // "Block" and "blocked" belong to the subject.
  EXPECT_THAT(
      Rules("Questions on how to block a card, or about a blocked card, are fine. Insults "
            "are not allowed."),
      ElementsAre("safe: Questions on how to block a card, or about a blocked card, are fine.",
                  "violating: Insults are not allowed."));
}

TEST(Prose, WithoutAnyVerdictATextOfSomeLengthIsWhatItIsAgainst) {
  EXPECT_THAT(Rules("Harassment, threats and slurs towards other players in any voice channel"),
              ElementsAre(::testing::StartsWith("violating: Harassment")));
  EXPECT_THAT(Rules("hello world"), ::testing::IsEmpty());
  EXPECT_THAT(Rules("Welcome to our forum"),
              ::testing::Not(::testing::Contains(::testing::StartsWith("violating"))));
}

TEST(Prose, TheRestIsWhatNamesNothing) {
  EXPECT_TRUE(reading::IsRest("Everything else"));
  EXPECT_TRUE(reading::IsRest("Any other message"));
  EXPECT_FALSE(reading::IsRest("Insults and any other abuse of people"));
  EXPECT_FALSE(reading::IsRest("Posts that do not name their sources"));
}

struct Written {
  bool inverted = false;
  std::string text;
  std::vector<std::string> names;  // what it is about
};

std::vector<Written> ManyHands() {
  std::ifstream in(SAFEGUARD_SOURCE_DIR "/src/moderation/policy/testdata/prose_policies.txt");
  std::vector<Written> all;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("policy ")) {
      all.emplace_back().inverted = line.ends_with(" inverted");
    } else if (line.starts_with("text ")) {
      all.back().text += (all.back().text.empty() ? "" : "\n\n") + line.substr(5);
    } else if (line.starts_with("name ")) {
      all.back().names.push_back(line.substr(5));
    }
  }
  return all;
}

// Whether a rule of the right side holds what the policy is about, none of the other side does, and
// something violates.
bool ReadAsMeant(const Written& written) {
  const Side meant = written.inverted ? Side::kSafe : Side::kViolating;
  bool named = false;
  bool violating = false;
  for (const Rule& rule : MustRead(written.text).rules) {
    const bool holds = std::ranges::any_of(
        written.names, [&rule](const std::string& name) { return rule.text.contains(name); });
    violating = violating || rule.side == Side::kViolating;
    named = named || (holds && rule.side == meant);
    if (holds && rule.side != meant && !rule.rest) {
      return false;
    }
  }
  return named && violating;
}

// Four sets of policies, each written without knowledge of the reader; the first three were looked
// at while it was made (docs/policies.md).
TEST(Prose, PoliciesOfManyHandsAreReadAsMeant) {
  const std::vector<Written> all = ManyHands();
  ASSERT_EQ(all.size(), 168U);
  EXPECT_GE(std::ranges::count_if(all, ReadAsMeant), 151);  // 152 when this was written
}

}  // namespace
}  // namespace safeguard::moderation
