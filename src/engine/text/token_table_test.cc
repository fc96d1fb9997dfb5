#include "engine/text/token_table.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>

namespace safeguard::engine {
namespace {

TEST(TokenTable, FindsWhatWasAdded) {
  TokenList tokens;
  tokens.Add("a", 7);
  tokens.Add("ab", 3);
  tokens.Add("", 1);
  const auto table = TokenTable::Build(tokens);
  ASSERT_TRUE(table.has_value());
  EXPECT_EQ(table->Find("a"), 7U);
  EXPECT_EQ(table->Find("ab"), 3U);
  EXPECT_EQ(table->Find(""), 1U);
  EXPECT_EQ(table->Find("b"), std::nullopt);
  EXPECT_EQ(table->longest(), 2U);
}

TEST(TokenTable, AnEmptyTableFindsNothing) {
  const auto table = TokenTable::Build({});
  ASSERT_TRUE(table.has_value());
  EXPECT_EQ(table->Find(""), std::nullopt);
  EXPECT_EQ(table->Find("x"), std::nullopt);
}

TEST(TokenTable, TheSameTokenTwiceIsCorrupt) {
  TokenList tokens;
  tokens.Add("x", 0);
  tokens.Add("y", 1);
  tokens.Add("x", 2);
  const auto table = TokenTable::Build(tokens);
  ASSERT_FALSE(table.has_value());
  EXPECT_EQ(table.error().code, ErrorCode::kCorruptFile);
  EXPECT_NE(table.error().message.find("0 and 2"), std::string::npos) << table.error().message;
}

TEST(TokenTable, HashesGrowByteByByte) {
  TokenList tokens;
  tokens.Add("prefix", 1);
  const auto table = TokenTable::Build(tokens);
  std::uint64_t hash = TokenTable::kEmptyHash;
  for (const char byte : std::string_view("prefix")) {
    hash = TokenTable::Extend(hash, byte);
  }
  EXPECT_EQ(table->Find("prefix", hash), 1U);
}

TEST(TokenTable, BehavesLikeAMap) {
  EXPECT_TRUE(rc::check([](const std::map<std::string, std::uint32_t>& model,
                           const std::vector<std::string>& probes) {
    TokenList tokens;
    for (const auto& [bytes, id] : model) {
      tokens.Add(bytes, id);
    }
    const auto table = TokenTable::Build(tokens);
    RC_ASSERT(table.has_value());
    for (const auto& [bytes, id] : model) {
      RC_ASSERT(table->Find(bytes) == id);
    }
    for (const std::string& probe : probes) {
      RC_ASSERT(table->Find(probe).has_value() == model.contains(probe));
    }
  }));
}

}  // namespace
}  // namespace safeguard::engine
