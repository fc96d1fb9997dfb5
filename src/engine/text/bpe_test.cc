#include "engine/bpe.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "engine/text/test_ranks.h"

namespace safeguard::engine {
namespace {

std::unique_ptr<Bpe> Small() {
  auto bpe = Bpe::LoadRanks(test::RankFile({"ab", " ab", "\xC3\xA9", "\xEF\xBF\xBD"}));
  EXPECT_TRUE(bpe.has_value());
  return std::move(bpe.value());
}

TEST(Bpe, EncodesAndDecodes) {
  const auto bpe = Small();
  EXPECT_EQ(bpe->Encode("ab ab\u00E9"), (std::vector<std::uint32_t>{256, 257, 258}));
  EXPECT_EQ(bpe->Encode(" ab"), std::vector<std::uint32_t>{257});
  EXPECT_EQ(bpe->CountTokens("ab ab"), 2U);
  EXPECT_EQ(bpe->Decode({257, 258, 'x'}), " ab\u00E9x");
  EXPECT_EQ(bpe->Decode({}), "");
}

TEST(Bpe, AnIdWithoutBytesIsAnError) {
  const auto bpe = Small();
  for (const std::uint32_t id : {260U, 199'998U, 200'006U, 0xFFFFFFFFU}) {
    const auto text = bpe->Decode({'a', id});
    ASSERT_FALSE(text.has_value());
    EXPECT_EQ(text.error().code, ErrorCode::kInvalidInput);
    EXPECT_NE(text.error().message.find(std::to_string(id)), std::string::npos);
  }
}

TEST(Bpe, IllFormedBytesStayThemselves) {
  const auto bpe = Small();
  EXPECT_EQ(bpe->Encode("a\xFF"), (std::vector<std::uint32_t>{'a', 0xFF}));
  EXPECT_EQ(bpe->Encode("\xC3"), std::vector<std::uint32_t>{0xC3});
  EXPECT_EQ(bpe->Encode("\uFFFD"), std::vector<std::uint32_t>{259});
}

TEST(Bpe, DecodeUndoesEncodeForAnyBytes) {
  const auto bpe = Small();
  EXPECT_TRUE(rc::check([&](const std::string& text) {
    const auto ids = bpe->Encode(text);
    RC_ASSERT(bpe->CountTokens(text) == ids.size());
    RC_ASSERT(bpe->Decode(ids).value() == text);
  }));
}

TEST(Bpe, ABadFileIsAnError) {
  EXPECT_FALSE(Bpe::LoadRanks("").has_value());
  EXPECT_FALSE(Bpe::LoadRanks("not a rank file").has_value());
  const auto twice = Bpe::LoadRanks(test::RankFile({"ab", "ab"}));
  ASSERT_FALSE(twice.has_value());
  EXPECT_EQ(twice.error().code, ErrorCode::kCorruptFile);
}

}  // namespace
}  // namespace safeguard::engine
