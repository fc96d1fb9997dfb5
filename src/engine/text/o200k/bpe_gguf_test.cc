#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/bpe.h"
#include "engine/text/o200k/test_vocabulary.h"

namespace safeguard::engine {
namespace {

using ::testing::HasSubstr;

const std::vector<std::string> kMerged = {"ab", "bc"};

TEST(BpeGguf, ReadsTokensMergesAndTypes) {
  const test::GgufFile file = test::MakeGguf(kMerged, {{"b", "c"}, {"a", "b"}});
  const auto bpe = Bpe::LoadGguf(file.vocabulary());
  ASSERT_TRUE(bpe.has_value()) << Describe(bpe.error());
  EXPECT_EQ((*bpe)->size(), kOrdinaryTokens);
  EXPECT_EQ((*bpe)->Encode("xabc"), (std::vector<std::uint32_t>{'x', 'a', 257}));
  EXPECT_EQ((*bpe)->Encode("<|end|>").size(), 7U);
}

TEST(BpeGguf, WithoutMergesAndTypesTheIdsAreTheRanks) {
  test::GgufFile file = test::MakeGguf(kMerged, {});
  file.types.clear();
  const auto bpe = Bpe::LoadGguf(file.vocabulary());
  ASSERT_TRUE(bpe.has_value()) << Describe(bpe.error());
  EXPECT_EQ((*bpe)->Encode("xabc"), (std::vector<std::uint32_t>{'x', 256, 'c'}));
}

TEST(BpeGguf, HostileMetadataAreErrors) {
  const auto refused = [](const std::function<void(test::GgufFile&)>& change) {
    test::GgufFile file = test::MakeGguf(kMerged, {{"a", "b"}});
    change(file);
    const auto bpe = Bpe::LoadGguf(file.vocabulary());
    EXPECT_FALSE(bpe.has_value());
    return bpe ? std::string() : bpe.error().message;
  };
  EXPECT_THAT(refused([](auto& file) { file.tokens[7] = "\u4E2D"; }), HasSubstr("token 7 "));
  EXPECT_THAT(refused([](auto& file) { file.tokens[300] = ""; }), HasSubstr("token 300 "));
  EXPECT_THAT(refused([](auto& file) { file.tokens[300] = file.tokens[301]; }),
              HasSubstr("300 and 301"));
  EXPECT_THAT(refused([](auto& file) { file.tokens['!'] = "##"; }), HasSubstr("single byte 33"));
  EXPECT_THAT(refused([](auto& file) { file.types[5] = 3; }), HasSubstr("token 5 has type 3"));
  EXPECT_THAT(refused([](auto& file) { file.types.pop_back(); }), HasSubstr("token types"));
  EXPECT_THAT(refused([](auto& file) { file.tokens[special::kStart] = "x"; }),
              HasSubstr("no control token <|start|>"));
  EXPECT_THAT(refused([](auto& file) { file.tokens[special::kStart] = "<|call|>"; }),
              HasSubstr("<|call|> has id 200006"));
  EXPECT_THAT(refused([](auto& file) { file.merges[0] = "ab"; }), HasSubstr("merge 0 "));
  EXPECT_THAT(refused([](auto& file) { file.merges[0] = "a  b"; }), HasSubstr("merge 0 "));
  EXPECT_THAT(refused([](auto& file) { file.merges[0] = "a z"; }), HasSubstr("merge 0 "));
  EXPECT_FALSE(Bpe::LoadGguf({}).has_value());
}

}  // namespace
}  // namespace safeguard::engine
