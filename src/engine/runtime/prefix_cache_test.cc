#include "engine/runtime/prefix_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "engine/runtime/fake_forward.h"

namespace safeguard::engine {
namespace {

using Ids = std::vector<std::uint32_t>;

void Keep(PrefixCache& cache, test::FakeForward& forward, const Ids& tokens) {
  const SequenceId sequence = forward.NewSequence();
  const SequenceStep step{.sequence = sequence, .tokens = tokens, .logits = 0, .rows = {}};
  ASSERT_TRUE(forward.Step({&step, 1}, {}).has_value());
  cache.Keep(tokens, sequence);
  forward.Drop(sequence);
}

TEST(PrefixCacheTest, FindsTheLongestThatLeavesAToken) {
  test::FakeForward forward(10);
  PrefixCache cache(forward, 8);
  Keep(cache, forward, {1, 2});
  Keep(cache, forward, {1, 2, 3, 4});
  Keep(cache, forward, {1, 2, 5});
  EXPECT_EQ(cache.Find(Ids{1, 2, 3, 4, 6}).length, 4U);
  EXPECT_EQ(cache.Find(Ids{1, 2, 3, 4}).length, 2U) << "one token must be left to feed";
  EXPECT_EQ(cache.Find(Ids{1, 2, 3, 9}).length, 2U);
  EXPECT_EQ(cache.Find(Ids{2, 1}).length, 0U);
  EXPECT_EQ(cache.hits(), 3U);
  EXPECT_EQ(cache.misses(), 1U);
  EXPECT_EQ(forward.Length(cache.Find(Ids{1, 2, 5, 5}).sequence), 3U);
}

using Which = PrefixCache::Which;

TEST(PrefixCacheTest, WhatIsUsedLeastGoesFirst) {
  test::FakeForward forward(10);
  {
    PrefixCache cache(forward, 2);
    Keep(cache, forward, {1});
    Keep(cache, forward, {2});
    const PrefixCache::Found found = cache.Find(Ids{1, 1});
    EXPECT_EQ(found.length, 1U);
    cache.Release(found.sequence);
    Keep(cache, forward, {3});
    EXPECT_TRUE(cache.Contains(Ids{1}));
    EXPECT_FALSE(cache.Contains(Ids{2}));
    EXPECT_EQ(forward.alive(), 2U);
    EXPECT_TRUE(cache.EvictOne(Which::kAny));
    EXPECT_TRUE(cache.EvictOne(Which::kAny));
    EXPECT_FALSE(cache.EvictOne(Which::kAny));
    Keep(cache, forward, {4});
    EXPECT_EQ(cache.evictions(), 3U);
  }
  EXPECT_EQ(forward.alive(), 0U);
}

TEST(PrefixCacheTest, WhatIsInUseStays) {
  test::FakeForward forward(10);
  PrefixCache cache(forward, 4);
  Keep(cache, forward, {1, 2});
  const PrefixCache::Found found = cache.Find(Ids{1, 2, 3});
  EXPECT_FALSE(cache.EvictOne(Which::kUnused));
  cache.Release(found.sequence);
  EXPECT_TRUE(cache.EvictOne(Which::kUnused));
  cache.Release(found.sequence);  // it is gone: nothing happens
}

TEST(PrefixCacheTest, AnEndThatOthersGoOnFromGoesAfterThem) {
  test::FakeForward forward(10);
  PrefixCache cache(forward, 8);
  Keep(cache, forward, {1, 2});
  Keep(cache, forward, {1, 2, 3});
  for (int i = 0; i < 5; ++i) {
    cache.Release(cache.Find(Ids{1, 2, 3, 4}).sequence);
  }
  EXPECT_TRUE(cache.EvictOne(Which::kAny));
  EXPECT_TRUE(cache.Contains(Ids{1, 2}));
  EXPECT_FALSE(cache.Contains(Ids{1, 2, 3}));
}

TEST(PrefixCacheTest, SaltsDoNotShare) {
  test::FakeForward forward(10);
  PrefixCache cache(forward, 8);
  const SequenceId sequence = forward.NewSequence();
  const Ids tokens{1, 2};
  const SequenceStep step{.sequence = sequence, .tokens = tokens, .logits = 0, .rows = {}};
  ASSERT_TRUE(forward.Step({&step, 1}, {}).has_value());
  EXPECT_TRUE(cache.Keep(tokens, sequence, "a"));
  EXPECT_FALSE(cache.Keep(tokens, sequence, "a"));
  EXPECT_EQ(cache.Find(Ids{1, 2, 3}).length, 0U);
  EXPECT_EQ(cache.Find(Ids{1, 2, 3}, "a").length, 2U);
  EXPECT_TRUE(cache.Keep(tokens, sequence, "b"));
  EXPECT_EQ(cache.size(), 2U);
  forward.Drop(sequence);
}

// Against a plain list of what was kept.
TEST(PrefixCacheTest, FindsWhatAListFinds) {
  std::mt19937 random(7);  // NOLINT(cert-msc*)
  const auto words = [&] {
    Ids ids(1 + random() % 7);
    for (std::uint32_t& id : ids) {
      id = random() % 2;
    }
    return ids;
  };
  test::FakeForward forward(10);
  PrefixCache cache(forward, 1000);
  std::set<Ids> kept;
  for (int round = 0; round < 2000; ++round) {
    if (random() % 4 == 0) {
      const Ids tokens = words();
      Keep(cache, forward, tokens);
      kept.insert(tokens);
    } else if (random() % 12 == 0 && cache.EvictOne(Which::kAny)) {
      std::erase_if(kept, [&](const Ids& tokens) { return !cache.Contains(tokens); });
    }
    ASSERT_EQ(cache.size(), kept.size());
    const Ids prompt = words();
    std::size_t longest = 0;
    for (const Ids& tokens : kept) {
      if (tokens.size() < prompt.size() &&
          std::equal(tokens.begin(), tokens.end(), prompt.begin())) {
        longest = std::max(longest, tokens.size());
      }
      ASSERT_TRUE(cache.Contains(tokens));
    }
    const PrefixCache::Found found = cache.Find(prompt);
    ASSERT_EQ(found.length, longest);
    if (longest > 0) {
      ASSERT_EQ(forward.Length(found.sequence), longest);
      cache.Release(found.sequence);
    }
  }
}

}  // namespace
}  // namespace safeguard::engine
