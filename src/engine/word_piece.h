// WordPiece, exactly as a BERT checkpoint's tokenizer.json says (Hugging Face tokenizers:
// BertNormalizer, BertPreTokenizer, WordPiece model).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace safeguard::engine {

struct WordPieceToken {
  std::int32_t id;
  std::uint32_t begin;  // bytes of the text given to Encode that the token was made from
  std::uint32_t end;
};

// Immutable and thread-safe after Load.
class WordPiece {
 public:
  // Reads a tokenizer.json (at most 64 MB). Hostile input: anything missing, of the wrong type or
  // out of bounds is kCorruptFile naming the field; a tokenizer of another kind is kInvalidInput.
  static Result<std::unique_ptr<WordPiece>> Load(std::string_view tokenizer_json);
  virtual ~WordPiece() = default;

  // The tokens of the whole text, without special tokens, truncation or padding. Text that spells
  // a special token ("[SEP]") is encoded as ordinary text, on purpose unlike the reference, which
  // looks for special tokens in the text first: no text yields a control token other than
  // unknown(). Linear in the text. REQUIRES: valid UTF-8 under 4 GiB.
  [[nodiscard]] virtual std::vector<WordPieceToken> Encode(std::string_view text) const = 0;

  [[nodiscard]] virtual std::int32_t cls() const = 0;
  [[nodiscard]] virtual std::int32_t sep() const = 0;
  [[nodiscard]] virtual std::int32_t unknown() const = 0;
  // One more than the highest id that Encode, cls, sep or the added tokens can give: the rows that
  // an embedding table must have.
  [[nodiscard]] virtual std::size_t vocabulary_size() const = 0;
};

}  // namespace safeguard::engine
