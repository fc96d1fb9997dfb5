#include "engine/runtime/prompt_lookup.h"

#include <gtest/gtest.h>

namespace safeguard::engine {
namespace {

using Ids = std::vector<std::uint32_t>;

TEST(PromptLookupTest, GuessesWhatFollowedTheLatestPlace) {
  PromptLookup lookup(Ids{1, 2, 3, 4, 5, 9, 1, 2, 3, 6, 7, 8, 1, 2, 3});
  EXPECT_EQ(lookup.Guess(2), (Ids{6, 7}));
  EXPECT_EQ(lookup.Guess(0), Ids{});
  lookup.Append(99);
  EXPECT_EQ(lookup.Guess(4), Ids{}) << "2 3 99 is new";
  EXPECT_EQ(PromptLookup(Ids{1, 2}).Guess(3), Ids{});
}

TEST(PromptLookupTest, GoesOnIntoItsOwnGuess) {
  const PromptLookup lookup(Ids{1, 2, 3, 1, 2, 3});
  EXPECT_EQ(lookup.Guess(7), (Ids{1, 2, 3, 1, 2, 3, 1}));
}

TEST(PromptLookupTest, TrustFollowsWhatHappens) {
  Ids policy;
  for (std::uint32_t id = 0; id < 100; ++id) {
    policy.push_back(id);
  }
  PromptLookup lookup(policy);
  EXPECT_EQ(lookup.WorthGuessing(8), 0U) << "nothing was guessed yet";
  for (std::uint32_t id = 10; id < 60; ++id) {
    lookup.Append(id);  // quotes the policy
  }
  EXPECT_GT(lookup.trust(), 0.95);
  EXPECT_EQ(lookup.WorthGuessing(8), 8U);
  for (std::uint32_t id = 0; id < 100; ++id) {
    lookup.Append(20 + id % 4);  // leads astray: 20 21 22 23 20, where the policy has 24
  }
  EXPECT_EQ(lookup.Guess(1).size(), 1U);
}

TEST(PromptLookupTest, WrongGuessesAreNotWorthIt) {
  Ids text;
  for (std::uint32_t i = 0; i < 60; ++i) {
    text.insert(text.end(), {1, 2, 3, 100 + i});
  }
  PromptLookup lookup(Ids{});
  for (const std::uint32_t id : text) {
    lookup.Append(id);
  }
  EXPECT_LT(lookup.trust(), 0.5) << "behind 1 2 3 is always something else";
  EXPECT_EQ(lookup.WorthGuessing(8), 0U);
}

}  // namespace
}  // namespace safeguard::engine
