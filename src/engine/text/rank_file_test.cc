#include "engine/text/rank_file.h"

#include <gtest/gtest.h>

#include "engine/text/test_ranks.h"

namespace safeguard::engine {
namespace {

TEST(RankFile, ReadsBytesAndRanks) {
  const auto tokens = ReadRankFile(test::RankFile({"ab", "abc", "\xFF\x80"}));
  ASSERT_TRUE(tokens.has_value()) << Describe(tokens.error());
  ASSERT_EQ(tokens->size(), 259U);
  EXPECT_EQ(tokens->bytes(97), "a");
  EXPECT_EQ(tokens->bytes(256), "ab");
  EXPECT_EQ(tokens->bytes(257), "abc");
  EXPECT_EQ(tokens->bytes(258), "\xFF\x80");
  EXPECT_EQ(tokens->id(258), 258U);
}

TEST(RankFile, LineEndsAndBlankLines) {
  std::string file = test::RankFile({});
  file.pop_back();
  EXPECT_TRUE(ReadRankFile(file).has_value()) << "no line end after the last line";
  EXPECT_TRUE(ReadRankFile(file + "\r\n\r\n\nYWI= 256\r\n").has_value());
}

TEST(RankFile, AnythingElseNamesTheLine) {
  const std::string good = test::RankFile({});
  for (const std::string line : {"YWI=",
                                 "YWI= ",
                                 " 256",
                                 "YWI=256",
                                 "YWI= 256 ",
                                 "YWI= -1",
                                 "YWI= 255",
                                 "YWI= 257",
                                 "YWI= 0x100",
                                 "YWI= 256x",
                                 "YWI  256",
                                 "YWI 256",
                                 "YWJ= 256",
                                 "YW=I 256",
                                 "==== 256",
                                 "Y=== 256",
                                 "*WI= 256",
                                 "YWI=\t256",
                                 "YWI= 99999999999999999999999",
                                 "YWI= +256"}) {
    const auto tokens = ReadRankFile(good + line + "\n");
    ASSERT_FALSE(tokens.has_value()) << line;
    EXPECT_EQ(tokens.error().code, ErrorCode::kCorruptFile);
    EXPECT_NE(tokens.error().message.find("line 257"), std::string::npos) << tokens.error().message;
  }
}

TEST(RankFile, EveryByteMustBeThere) {
  std::string good = test::RankFile({});
  const auto tokens = ReadRankFile(good.substr(0, good.rfind('\n', good.size() - 2) + 1));
  ASSERT_FALSE(tokens.has_value());
  EXPECT_NE(tokens.error().message.find("byte 255"), std::string::npos);
  EXPECT_FALSE(ReadRankFile("").has_value());
}

TEST(RankFile, Limits) {
  const auto token = test::RankFile({std::string(kRankTokenBytesMax, 'x')});
  EXPECT_TRUE(ReadRankFile(token).has_value());
  EXPECT_FALSE(
      ReadRankFile(test::RankFile({std::string(kRankTokenBytesMax + 1, 'x')})).has_value());
  std::vector<std::string> many;
  for (std::size_t i = 256; i < kRanksMax; ++i) {
    many.push_back(std::to_string(i).append("t"));
  }
  EXPECT_TRUE(ReadRankFile(test::RankFile(many)).has_value());
  many.emplace_back("one more");
  EXPECT_FALSE(ReadRankFile(test::RankFile(many)).has_value());
}

}  // namespace
}  // namespace safeguard::engine
