#include "engine/text/byte_pair_merge.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "engine/text/rank_file.h"
#include "engine/text/test_ranks.h"

namespace safeguard::engine {
namespace {

TokenTable Ranks(const std::vector<std::string>& merged) {
  auto tokens = ReadRankFile(test::RankFile(merged));
  EXPECT_TRUE(tokens.has_value());
  auto table = TokenTable::Build(std::move(tokens.value()));
  EXPECT_TRUE(table.has_value());
  return std::move(table.value());
}

// The rule itself, in the plainest words.
std::vector<std::uint32_t> Naive(const TokenTable& ranks, const std::string& piece) {
  std::vector<std::string> parts;
  for (const char c : piece) {
    parts.emplace_back(1, c);
  }
  if (ranks.Find(piece)) {
    parts = {piece};
  }
  for (;;) {
    std::size_t best = parts.size();
    std::uint32_t least = 0xFFFFFFFFU;
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      const std::uint32_t rank = ranks.Find(parts[i] + parts[i + 1]).value_or(0xFFFFFFFFU);
      if (rank < least) {
        least = rank;
        best = i;
      }
    }
    if (best == parts.size()) {
      break;
    }
    parts[best] += parts[best + 1];
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
  std::vector<std::uint32_t> ids;
  for (const std::string& part : parts) {
    ids.push_back(*ranks.Find(part));
  }
  return ids;
}

std::vector<std::uint32_t> Merge(const TokenTable& ranks, const std::string& piece) {
  std::vector<std::uint32_t> ids;
  BytePairMerger(ranks).Append(piece, ids);
  return ids;
}

TEST(BytePairMerge, LowestRankFirstThenLeftmost) {
  const TokenTable ranks = Ranks({"bc", "ab", "aa"});
  EXPECT_EQ(Merge(ranks, "abc"), (std::vector<std::uint32_t>{'a', 256}));
  EXPECT_EQ(Merge(ranks, "aab"), (std::vector<std::uint32_t>{'a', 257}));
  EXPECT_EQ(Merge(ranks, "aaa"), (std::vector<std::uint32_t>{258, 'a'}));
  EXPECT_EQ(Merge(ranks, ""), std::vector<std::uint32_t>{});
}

TEST(BytePairMerge, AWholeTokenNeedsNoMerges) {
  const TokenTable ranks = Ranks({"xyz"});  // no "xy", no "yz"
  EXPECT_EQ(Merge(ranks, "xyz"), std::vector<std::uint32_t>{256});
  EXPECT_EQ(Merge(ranks, "xyzx"), (std::vector<std::uint32_t>{'x', 'y', 'z', 'x'}));
}

TEST(BytePairMerge, LikeTheRuleItself) {
  const auto letters = rc::gen::container<std::string>(rc::gen::element('a', 'b', 'c'));
  EXPECT_TRUE(rc::check([&] {
    auto merged = *rc::gen::unique<std::vector<std::string>>(rc::gen::suchThat(
        rc::gen::resize(5, letters), [](const std::string& s) { return s.size() > 1; }));
    const TokenTable ranks = Ranks(merged);
    const std::string text = *rc::gen::resize(60, letters);
    RC_ASSERT(Merge(ranks, text) == Naive(ranks, text));
    std::string longer = text;  // takes the way of long pieces
    while (!text.empty() && longer.size() < 150) {
      longer += *rc::gen::element(text, std::string("abcab"), std::string("aa"));
    }
    RC_ASSERT(Merge(ranks, longer) == Naive(ranks, longer));
  }));
}

}  // namespace
}  // namespace safeguard::engine
