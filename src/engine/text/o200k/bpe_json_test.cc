#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "engine/bpe.h"
#include "engine/text/o200k/bpe_sources.h"
#include "engine/text/o200k/test_vocabulary.h"
#include "engine/text/test_ranks.h"

namespace safeguard::engine {
namespace {

using Json = nlohmann::json;
using test::Merge;
using ::testing::HasSubstr;

const std::vector<std::string> kMerged = {"ab", "abc", " ab"};
// Every cut of a token into two tokens, by the id of the whole.
const std::vector<Merge> kMerges = {{"a", "b"}, {"ab", "c"}, {" ", "ab"}};

std::vector<std::uint32_t> Encode(const Json& file, const std::string& text) {
  const auto bpe = Bpe::LoadJson(file.dump());
  EXPECT_TRUE(bpe.has_value()) << Describe(bpe.error());
  return bpe ? (*bpe)->Encode(text) : std::vector<std::uint32_t>{};
}

Error Refused(const std::string& pointer, const Json& value) {
  Json file = test::TokenizerJson(kMerged, kMerges);
  file[Json::json_pointer(pointer)] = value;
  const auto bpe = Bpe::LoadJson(file.dump());
  EXPECT_FALSE(bpe.has_value()) << pointer;
  return bpe ? Error{} : bpe.error();
}

TEST(BpeJson, EncodesAsTheRanksOfItsIds) {
  const auto ranks = Bpe::LoadRanks(test::RankFile(kMerged));
  const auto bpe = Bpe::LoadJson(test::TokenizerJson(kMerged, kMerges).dump());
  ASSERT_TRUE(ranks && bpe);
  EXPECT_EQ((*bpe)->size(), 259U);
  EXPECT_EQ((*bpe)->Bytes(258), " ab");
  EXPECT_EQ((*bpe)->Bytes(259), "");
  EXPECT_EQ((*bpe)->Bytes(special::kStart), "");
  EXPECT_TRUE(rc::check(
      [&](const std::string& text) { RC_ASSERT((*bpe)->Encode(text) == (*ranks)->Encode(text)); }));
  EXPECT_EQ((*bpe)->Encode("abc ab <|start|>"), (*ranks)->Encode("abc ab <|start|>"));
}

TEST(BpeJson, MergesMayBeStringsOrPairs) {
  Json file = test::TokenizerJson(kMerged, kMerges);
  file["model"]["merges"] = Json::array({"a b", "ab c", "\u0120 ab"});
  EXPECT_EQ(Encode(file, "abc ab"), (std::vector<std::uint32_t>{257, 258}));
  file["model"]["merges"] = Json::array({"a b", Json::array({"ab", "c"}), "\u0120 ab"});
  EXPECT_EQ(Encode(file, "abc ab"), (std::vector<std::uint32_t>{257, 258}));
}

TEST(BpeJson, VocabularyInAnyOrderWithControlTokensInIt) {
  Json file = test::TokenizerJson(kMerged, kMerges);
  file["model"]["vocab"]["<|endoftext|>"] = special::kEndOfText;  // sorts before the letters
  EXPECT_EQ(Encode(file, "abc<|endoftext|>").front(), 257U);
  EXPECT_EQ(Encode(file, "<|endoftext|>").size(), 13U);
}

TEST(BpeJson, MergesThatDoNotFollowTheIdsKeepTheirOwnOrder) {
  // By id, "bc" (257) comes after "ab" (256); the list says otherwise.
  const std::vector<std::string> merged = {"ab", "bc"};
  Json file = test::TokenizerJson(merged, {{"b", "c"}, {"a", "b"}});
  EXPECT_EQ(Encode(file, "xabc"), (std::vector<std::uint32_t>{'x', 'a', 257}));
  file = test::TokenizerJson(merged, {{"a", "b"}, {"b", "c"}});
  EXPECT_EQ(Encode(file, "xabc"), (std::vector<std::uint32_t>{'x', 256, 'c'}));
  // A list that lacks a merge: what it lacks is never joined, unless it is a whole piece.
  file = test::TokenizerJson(merged, {{"b", "c"}});
  EXPECT_EQ(Encode(file, "xab"), (std::vector<std::uint32_t>{'x', 'a', 'b'}));
  EXPECT_EQ(Encode(file, "ab"), (std::vector<std::uint32_t>{256}));
  file["model"]["ignore_merges"] = false;
  EXPECT_EQ(Encode(file, "ab"), (std::vector<std::uint32_t>{'a', 'b'}));
  const std::string long_run(1000, 'c');
  EXPECT_EQ(Encode(file, "ab" + long_run).size(), 1001U);
  EXPECT_EQ(Encode(file, "b" + long_run)[0], 257U);
}

TEST(BpeJson, AnotherTokenizerIsRefusedByName) {
  const std::string split = "/pre_tokenizer/pretokenizers/0";
  const std::string bytes = "/pre_tokenizer/pretokenizers/1";
  const std::vector<std::pair<std::string, Json>> changes = {
      {"/normalizer", Json{{"type", "NFC"}}},
      {"/decoder", nullptr},
      {"/pre_tokenizer", nullptr},
      {"/pre_tokenizer/type", "Whitespace"},
      {split + "/pattern/Regex", "\\p{N}{1,3}"},
      {split + "/behavior", "Removed"},
      {split + "/invert", true},
      {bytes + "/add_prefix_space", true},
      {bytes + "/use_regex", true},
      {"/model/type", "Unigram"},
      {"/model/dropout", 0.1},
      {"/model/unk_token", "?"},
      {"/model/byte_fallback", true},
      {"/model/continuing_subword_prefix", "##"},
      {"/model/end_of_word_suffix", "</w>"},
      {"/added_tokens/8/id", 200'007},  // <|start|>
      {"/added_tokens/8/id", 17},
      {"/added_tokens/8/content", "<|begin|>"},
  };
  for (const auto& [pointer, value] : changes) {
    const Error error = Refused(pointer, value);
    EXPECT_EQ(error.code, ErrorCode::kInvalidInput) << pointer << ": " << error.message;
    EXPECT_THAT(error.message, HasSubstr("tokenizer.json")) << pointer;
    EXPECT_THAT(error.hint, HasSubstr("o200k_harmony")) << pointer;
  }
  EXPECT_THAT(Refused("/added_tokens/8/content", "<|begin|>").message, HasSubstr("<|start|>"));
}

TEST(BpeJson, WhatIsNotWellFormedIsCorrupt) {
  const std::vector<std::pair<std::string, Json>> changes = {
      {"/model/vocab", nullptr},
      {"/model/vocab/ab", 300},  // a gap
      {"/model/vocab/ab", 255},  // twice
      {"/model/vocab/ab", -1},
      {"/model/vocab/\u4E2D", 259},  // not a spelling of bytes
      {"/model/merges", nullptr},
      {"/model/merges/0", "a"},
      {"/model/merges/0", "a b c"},
      {"/model/merges/0", " b"},
      {"/model/merges/0", Json::array({"a"})},
      {"/model/merges/0", Json::array({"a", "b", "c"})},
      {"/model/merges/0", Json::array({"a", Json::array({"b"})})},
      {"/model/merges/0", 7},
      {"/model/merges/0", Json::array({"a", "z"})},  // az is no token
      {"/model/merges/1", Json::array({"a", "b"})},  // twice
      {"/model/ignore_merges", 1},
      {"/added_tokens", 7},
      {"/added_tokens/0/id", "x"},
  };
  for (const auto& [pointer, value] : changes) {
    const Error error = Refused(pointer, value);
    EXPECT_EQ(error.code, ErrorCode::kCorruptFile) << pointer << ": " << error.message;
    EXPECT_FALSE(error.message.empty());
  }
  Json file = test::TokenizerJson({}, {});
  file["model"]["vocab"].erase("!");
  EXPECT_FALSE(Bpe::LoadJson(file.dump()).has_value()) << "a byte is missing";
  EXPECT_FALSE(Bpe::LoadJson("").has_value());
  EXPECT_FALSE(Bpe::LoadJson("[]").has_value());
  EXPECT_FALSE(Bpe::LoadJson("{}").has_value());
}

TEST(BpeJson, LongTokensAreOverTheLimit) {
  const auto bpe = Bpe::LoadJson(test::TokenizerJson({std::string(257, 'a')}, {}).dump());
  ASSERT_FALSE(bpe.has_value());
  EXPECT_EQ(bpe.error().code, ErrorCode::kLimit);
  EXPECT_THAT(bpe.error().message, HasSubstr("token 256"));
}

}  // namespace
}  // namespace safeguard::engine
