// The WordPiece tokenizer against an independent implementation (tools/goldens/word_piece.mjs).
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/file.h"
#include "base/utf8.h"
#include "engine/text/test_models.h"
#include "engine/word_piece.h"

namespace safeguard::engine {
namespace {

using Json = nlohmann::json;

std::vector<Json> ReadLines(const std::string& path) {
  const Result<std::string> bytes = ReadFile(path, std::size_t{1} << 30);
  EXPECT_TRUE(bytes.has_value()) << path;
  std::vector<Json> lines;
  std::istringstream in(bytes.value_or(""));
  for (std::string line; std::getline(in, line);) {
    lines.push_back(Json::parse(line));
  }
  return lines;
}

// Tokenizers of the same vocabulary under other normalizer settings, made once each.
class Tokenizers {
 public:
  explicit Tokenizers(const std::string& json) : document_(Json::parse(json)) {}

  const WordPiece& With(const Json& settings) {
    std::unique_ptr<WordPiece>& made = made_[settings.dump()];
    if (!made) {
      Json changed = document_;
      changed["normalizer"].update(settings);
      auto loaded = WordPiece::Load(changed.dump());
      EXPECT_TRUE(loaded.has_value());
      made = std::move(loaded.value());
    }
    return *made;
  }

 private:
  Json document_;
  std::map<std::string, std::unique_ptr<WordPiece>> made_;
};

void ExpectGoldens(const std::string& path, std::size_t count_min) {
  SAFEGUARD_NEED_MODEL(json, "minilm-l6-v2/tokenizer.json");
  Tokenizers tokenizers(*json);
  std::size_t count = 0;
  std::size_t wrong = 0;
  for (const Json& line : ReadLines(path)) {
    const auto text = line["text"].get<std::string>();
    Json ids = Json::array();
    Json spans = Json::array();
    for (const WordPieceToken& token :
         tokenizers.With(line.value("normalizer", Json::object())).Encode(text)) {
      ids.push_back(token.id);
      spans.push_back(token.begin);
      spans.push_back(token.end);
    }
    ++count;
    if (ids != line["ids"] || spans != line["spans"]) {
      if (++wrong <= 5) {
        ADD_FAILURE() << line.dump() << "\n  ours: " << ids.dump() << " " << spans.dump();
      }
    }
  }
  EXPECT_EQ(wrong, 0U) << "of " << count;
  EXPECT_GE(count, count_min);
}

TEST(WordPieceGolden, EveryCase) {
  ExpectGoldens(SAFEGUARD_SOURCE_DIR "/src/engine/text/testdata/word_piece_golden.jsonl", 370);
}

// For differential runs over large files of random text, which are not kept.
TEST(WordPieceGolden, EveryCaseOfTheFileInTheEnvironment) {
  const char* path = std::getenv("SAFEGUARD_WORD_PIECE_GOLDEN");
  if (path == nullptr) {
    GTEST_SKIP() << "set SAFEGUARD_WORD_PIECE_GOLDEN to a file from tools/goldens/word_piece.mjs";
  }
  ExpectGoldens(path, 1);
}

std::string BlockHash(const WordPiece& tokenizer, char32_t first) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  const auto add = [&](std::uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) {
      hash = (hash ^ (value >> shift & 0xFFU)) * 0x100000001B3U;
    }
  };
  for (char32_t c = first; c < first + 4096; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) {
      continue;
    }
    std::string text = "a";
    AppendUtf8(c, text);
    for (const WordPieceToken& token : tokenizer.Encode(text + "b")) {
      add(static_cast<std::uint32_t>(token.id));
      add(token.begin);
      add(token.end);
    }
    add(0xFFFFFFFFU);
  }
  std::array<char, 17> digits{};
  std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(hash));
  return digits.data();
}

TEST(WordPieceGolden, EveryCodePointBetweenTwoLetters) {
  SAFEGUARD_NEED_MODEL(json, "minilm-l6-v2/tokenizer.json");
  const auto tokenizer = WordPiece::Load(*json);
  ASSERT_TRUE(tokenizer.has_value());
  std::size_t blocks = 0;
  for (const Json& line :
       ReadLines(SAFEGUARD_SOURCE_DIR "/src/engine/text/testdata/word_piece_blocks.jsonl")) {
    const auto first = line["first"].get<std::uint32_t>();
    EXPECT_EQ(BlockHash(**tokenizer, first), line["hash"]) << "block from " << first;
    ++blocks;
  }
  EXPECT_EQ(blocks, 0x110000U / 4096);
}

}  // namespace
}  // namespace safeguard::engine
