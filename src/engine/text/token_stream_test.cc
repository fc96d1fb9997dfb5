#include "engine/token_stream.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "base/utf8.h"
#include "engine/special_tokens.h"
#include "engine/text/test_ranks.h"

namespace safeguard::engine {
namespace {

std::unique_ptr<Bpe> Small() {
  auto bpe = Bpe::LoadRanks(test::RankFile({"ab", "\xE4\xB8", "\xADx\xF0\x9F", "\x99\x82"}));
  EXPECT_TRUE(bpe.has_value());
  return std::move(bpe.value());
}

TEST(TokenStream, GivesWholeCharacters) {
  const auto bpe = Small();
  TokenStream stream(*bpe);
  EXPECT_EQ(stream.Push(256), "ab");
  EXPECT_EQ(stream.Push(257), "");
  EXPECT_EQ(stream.Push(258), "\u4E2Dx");
  EXPECT_EQ(stream.Push(259), "\U0001F642");
  EXPECT_EQ(stream.Finish(), "");
}

TEST(TokenStream, IllFormedPartsBecomeReplacementCharacters) {
  const auto bpe = Small();
  TokenStream stream(*bpe);
  EXPECT_EQ(stream.Push(0xFF), "\uFFFD");
  EXPECT_EQ(stream.Push(0x80), "\uFFFD");
  EXPECT_EQ(stream.Push(257), "");
  EXPECT_EQ(stream.Push('a'), "\uFFFDa");
  EXPECT_EQ(stream.Push(257), "");
  EXPECT_EQ(stream.Finish(), "\uFFFD");
  EXPECT_EQ(stream.Finish(), "");
  EXPECT_EQ(stream.Push('a'), "a");
}

TEST(TokenStream, ControlTokensAreTheirNames) {
  const auto bpe = Small();
  TokenStream stream(*bpe);
  EXPECT_EQ(stream.Push(special::kChannel), "<|channel|>");
  EXPECT_EQ(stream.Push(200'014), "<|reserved_200014|>");
  EXPECT_EQ(stream.Push(300), "\uFFFD") << "no token at all";
  EXPECT_EQ(stream.Push(0xFFFFFFFF), "\uFFFD");
  EXPECT_EQ(stream.Push(257), "");
  EXPECT_EQ(stream.Push(special::kEnd), "\uFFFD<|end|>");
}

TEST(TokenStream, EqualsDecodingAllBytesAtOnce) {
  const auto bpe = Small();
  EXPECT_TRUE(rc::check([&](const std::vector<std::uint8_t>& numbers) {
    TokenStream stream(*bpe);
    std::string bytes;
    std::string text;
    for (const std::uint8_t number : numbers) {
      const std::uint32_t id = number >= 0x40 && number < 0x80 ? 256U + number % 4U : number;
      bytes += bpe->Bytes(id);
      const std::string out = stream.Push(id);
      RC_ASSERT(!FirstInvalidUtf8(out));
      text += out;
    }
    text += stream.Finish();
    RC_ASSERT(text == RepairUtf8(bytes).text);
  }));
}

}  // namespace
}  // namespace safeguard::engine
