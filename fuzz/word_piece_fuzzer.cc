// WordPiece::Encode over arbitrary text under every combination of settings: total, and with
// offsets that are ordered and inside the text.
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/utf8.h"
#include "engine/word_piece.h"

namespace {

using safeguard::engine::WordPiece;
using safeguard::engine::WordPieceToken;

std::unique_ptr<WordPiece> Make(unsigned settings) {
  const auto flag = [&](unsigned bit) {
    return (settings >> bit & 1U) != 0 ? std::string("true") : std::string("false");
  };
  const std::string json =
      R"({"added_tokens": [], "normalizer": {"type": "BertNormalizer", "clean_text": )" + flag(0) +
      R"(, "handle_chinese_chars": )" + flag(1) + R"(, "strip_accents": )" + flag(2) +
      R"(, "lowercase": )" + flag(3) +
      R"(}, "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": null,
      "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 8, "vocab": {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2,
        "a": 3, "##a": 4, "aa": 5, "##aab": 6, "[": 7, "]": 8, "cls": 9, "CLS": 10, "e": 11,
        "\u00e9": 12, "##\u0301": 13, "\u1112": 14, "##\u1161": 15, "##\u11ab": 16,
        "\u4e2d": 17, "\ud55c": 18}}})";
  auto made = WordPiece::Load(json);
  CHECK(made.has_value());
  return std::move(*made);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto tokenizers = [] {
    std::array<std::unique_ptr<WordPiece>, 16> all;
    for (unsigned settings = 0; settings < all.size(); ++settings) {
      all[settings] = Make(settings);
    }
    return all;
  }();
  if (size == 0) {
    return 0;
  }
  const WordPiece& tokenizer = *tokenizers[data[0] & 15U];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string text = safeguard::RepairUtf8(bytes).text;
  WordPieceToken last{0, 0, 0};
  for (const WordPieceToken& token : tokenizer.Encode(text)) {
    CHECK(token.id >= 0);
    CHECK(token.id != 1);
    CHECK(token.id != 2);
    CHECK(static_cast<std::size_t>(token.id) < tokenizer.vocabulary_size());
    CHECK(token.begin < token.end);
    CHECK(token.end <= text.size());
    CHECK(token.begin >= last.begin);
    CHECK(token.end >= last.end);
    last = token;
  }
  return 0;
}
