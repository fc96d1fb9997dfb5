#include "engine/runtime/prefix_cache.h"

#include <gtest/gtest.h>

#include "engine/runtime/fake_forward.h"

namespace safeguard::engine {
namespace {

using Ids = std::vector<std::uint32_t>;

void Keep(PrefixCache& cache, test::FakeForward& forward, const Ids& tokens) {
  const SequenceId sequence = forward.NewSequence();
  const SequenceStep step{.sequence = sequence, .tokens = tokens, .logits = 0};
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

TEST(PrefixCacheTest, TheLeastRecentlyUsedGoes) {
  test::FakeForward forward(10);
  {
    PrefixCache cache(forward, 2);
    Keep(cache, forward, {1});
    Keep(cache, forward, {2});
    EXPECT_EQ(cache.Find(Ids{1, 1}).length, 1U);
    Keep(cache, forward, {3});
    EXPECT_TRUE(cache.Contains(Ids{1}));
    EXPECT_FALSE(cache.Contains(Ids{2}));
    EXPECT_EQ(forward.alive(), 2U);
    EXPECT_TRUE(cache.EvictOne());
    EXPECT_TRUE(cache.EvictOne());
    EXPECT_FALSE(cache.EvictOne());
    Keep(cache, forward, {4});
  }
  EXPECT_EQ(forward.alive(), 0U);
}

}  // namespace
}  // namespace safeguard::engine
