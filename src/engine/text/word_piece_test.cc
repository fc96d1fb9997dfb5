#include "engine/word_piece.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "base/utf8.h"
#include "engine/text/test_models.h"
#include "engine/text/test_runs.h"

namespace safeguard::engine {
namespace {

using Json = nlohmann::json;

Json SmallTokenizer() {
  return Json{{"added_tokens",
               {{{"id", 1}, {"content", "[CLS]"}, {"special", true}},
                {{"id", 2}, {"content", "[SEP]"}, {"special", true}},
                {{"id", 9}, {"content", "mask"}, {"special", true}}}},
              {"normalizer",
               {{"type", "BertNormalizer"},
                {"clean_text", true},
                {"handle_chinese_chars", true},
                {"strip_accents", nullptr},
                {"lowercase", true}}},
              {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
              {"post_processor", nullptr},
              {"model",
               {{"type", "WordPiece"},
                {"unk_token", "[UNK]"},
                {"continuing_subword_prefix", "##"},
                {"max_input_chars_per_word", 10},
                {"vocab",
                 {{"[UNK]", 0},
                  {"[CLS]", 1},
                  {"[SEP]", 2},
                  {"un", 3},
                  {"##aff", 4},
                  {"##able", 5},
                  {"[", 6},
                  {"]", 7},
                  {"sep", 8},
                  {"mask", 9},
                  {"una", 10},
                  {"##a", 11},
                  {"a", 12}}}}}};
}

std::unique_ptr<WordPiece> Load(const Json& json) {
  auto loaded = WordPiece::Load(json.dump());
  EXPECT_TRUE(loaded.has_value()) << Describe(loaded.error());
  return std::move(loaded.value());
}

std::vector<int> Ids(const WordPiece& tokenizer, std::string_view text) {
  std::vector<int> ids;
  for (const WordPieceToken& token : tokenizer.Encode(text)) {
    ids.push_back(token.id);
  }
  return ids;
}

TEST(WordPiece, LongestMatchFirst) {
  const auto tokenizer = Load(SmallTokenizer());
  // "una" is longer than "un", and then nothing follows it: greedy, without a second try.
  EXPECT_EQ(Ids(*tokenizer, "unaffable"), std::vector{0});
  EXPECT_EQ(Ids(*tokenizer, "unable"), std::vector{0});
  EXPECT_EQ(Ids(*tokenizer, "unaable"), (std::vector{10, 5}));
  EXPECT_EQ(Ids(*tokenizer, "UN\u00E1"), std::vector{10});
}

TEST(WordPiece, AWordOverTheLimitIsUnknown) {
  const auto tokenizer = Load(SmallTokenizer());
  EXPECT_EQ(Ids(*tokenizer, std::string(10, 'a')).size(), 10U);
  const auto tokens = tokenizer->Encode("a " + std::string(11, 'a'));
  ASSERT_EQ(tokens.size(), 2U);
  EXPECT_EQ(tokens[1].id, tokenizer->unknown());
  EXPECT_EQ(tokens[1].begin, 2U);
  EXPECT_EQ(tokens[1].end, 13U);
}

TEST(WordPiece, TextNeverBecomesAControlToken) {
  const auto tokenizer = Load(SmallTokenizer());
  EXPECT_EQ(tokenizer->cls(), 1);
  EXPECT_EQ(tokenizer->sep(), 2);
  EXPECT_EQ(Ids(*tokenizer, "[SEP]"), (std::vector{6, 8, 7}));
  EXPECT_EQ(Ids(*tokenizer, "mask"), std::vector{0}) << "special, although it has no brackets";
}

TEST(WordPiece, SettingsAreTheFiles) {
  Json json = SmallTokenizer();
  json["normalizer"]["lowercase"] = false;
  EXPECT_EQ(Ids(*Load(json), "Un un"), (std::vector{0, 3})) << "accents follow lowercase";
  EXPECT_EQ(Ids(*Load(json), "\u00FAn"), std::vector{0});
  json["normalizer"]["strip_accents"] = true;
  EXPECT_EQ(Ids(*Load(json), "\u00FAn"), std::vector{3});
  json["normalizer"] = nullptr;
  EXPECT_EQ(Ids(*Load(json), "un\u200B"), std::vector{0});
  EXPECT_EQ(Ids(*Load(json), "un\u00A0un"), (std::vector{3, 3}));
  json["model"]["continuing_subword_prefix"] = "";
  EXPECT_EQ(Ids(*Load(json), "una"), std::vector{10});
  EXPECT_EQ(Ids(*Load(json), "aun"), (std::vector{12, 3}));
}

TEST(WordPiece, VocabularySizeCoversEveryId) {
  Json json = SmallTokenizer();
  EXPECT_EQ(Load(json)->vocabulary_size(), 13U);
  json["added_tokens"].push_back({{"id", 40}, {"content", "[X]"}, {"special", true}});
  EXPECT_EQ(Load(json)->vocabulary_size(), 41U);
}

TEST(WordPiece, OffsetsAreOrderedAndInside) {
  SAFEGUARD_NEED_MODEL(json, "minilm-l6-v2/tokenizer.json");
  const auto tokenizer = WordPiece::Load(*json);
  ASSERT_TRUE(tokenizer.has_value());
  EXPECT_EQ((*tokenizer)->cls(), 101);
  EXPECT_EQ((*tokenizer)->sep(), 102);
  EXPECT_EQ((*tokenizer)->unknown(), 100);
  EXPECT_EQ((*tokenizer)->vocabulary_size(), 30522U);
  EXPECT_TRUE(rc::check([&](const std::vector<std::uint32_t>& numbers) {
    std::string text;
    for (const std::uint32_t number : numbers) {
      const std::uint32_t c = number % (number % 7 == 0 ? 0x110000 : 0x400);
      AppendUtf8(c >= 0xD800 && c <= 0xDFFF ? U' ' : c, text);
    }
    WordPieceToken last{0, 0, 0};
    for (const WordPieceToken& token : (*tokenizer)->Encode(text)) {
      RC_ASSERT(token.id >= 0 && token.id < 30522 && token.id != 101 && token.id != 102);
      RC_ASSERT(token.begin < token.end && token.end <= text.size());
      RC_ASSERT(token.begin >= last.begin && token.end >= last.end);
      last = token;
    }
  }));
}

TEST(WordPiece, TenMegabytesOfAnything) {
  SAFEGUARD_NEED_MODEL(json, "minilm-l6-v2/tokenizer.json");
  const auto tokenizer = WordPiece::Load(*json);
  for (const std::string unit : {"a", "\u4E2D", "\u0301", "!", " ", "\uD55C", "\u0301\u0323",
                                 "a\u0301 ", "\U0001F642", "word "}) {
    const std::string text = test::Run(unit, 10'000'000);
    const auto start = std::chrono::steady_clock::now();
    const std::size_t tokens = (*tokenizer)->Encode(text).size();
    const auto spent = std::chrono::steady_clock::now() - start;
    std::printf("%8zu tokens, %5.0f ms: %s\n", tokens,
                std::chrono::duration<double, std::milli>(spent).count(), unit.c_str());
    EXPECT_LT(spent, std::chrono::seconds(60)) << unit;  // generous: sanitizers, loaded machines
  }
}

}  // namespace
}  // namespace safeguard::engine
