#include "engine/synth/token_tables.h"

#include <gtest/gtest.h>

#include <set>

#include "engine/text/test_models.h"

namespace safeguard::engine {
namespace {

TEST(TokenTables, BytesAloneWhereThereIsNoRankFile) {
  const auto tables = MakeTokenTables("", 260);
  ASSERT_TRUE(tables);
  EXPECT_EQ(tables->tokens.size(), 260U);
  EXPECT_EQ(tables->tokens['a'], "a");
  EXPECT_EQ(tables->tokens[0], "\u0100");
  EXPECT_EQ(tables->tokens[0xAD], "\u0143");
  EXPECT_EQ(tables->tokens[0xFF], "\u00FF");
  EXPECT_EQ(tables->tokens[259], "[PAD259]");
  EXPECT_EQ(tables->types[255], 1);
  EXPECT_EQ(tables->types[256], 5);
  EXPECT_TRUE(tables->merges.empty());
}

// The counts are those of the published GGUF files.
TEST(TokenTables, TheRealVocabularyHasTheRealMerges) {
  SAFEGUARD_NEED_MODEL(ranks, "o200k/o200k_base.tiktoken");
  const auto tables = MakeTokenTables(*ranks, 201'088);
  ASSERT_TRUE(tables) << Describe(tables.error());
  EXPECT_EQ(tables->tokens.size(), 201'088U);
  EXPECT_EQ(tables->merges.size(), 446'189U);
  EXPECT_EQ(tables->tokens[200'002], "<|return|>");
  EXPECT_EQ(tables->tokens[200'013], "<|reserved_200013|>");
  EXPECT_EQ(tables->types[200'006], 3);
  EXPECT_EQ(tables->types[201'087], 5);
  EXPECT_EQ(std::set(tables->tokens.begin(), tables->tokens.end()).size(), 201'088U);
  const auto cut = MakeTokenTables(*ranks, 1000);
  ASSERT_TRUE(cut);
  EXPECT_EQ(cut->tokens.size(), 1000U);
  EXPECT_LT(cut->merges.size(), 3000U);
}

TEST(TokenTables, ABrokenRankFileIsAnError) {
  EXPECT_FALSE(MakeTokenTables("no ranks", 1000));
}

}  // namespace
}  // namespace safeguard::engine
