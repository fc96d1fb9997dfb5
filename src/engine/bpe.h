// o200k: the byte-pair encoding of gpt-oss and gpt-oss-safeguard, from any of the three files that
// carry it. All three give the same ids for every text.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace safeguard::engine {

// The tokenizer in a GGUF file's metadata.
struct GgufVocabulary {
  std::span<const std::string_view> tokens;  // tokenizer.ggml.tokens, by id
  std::span<const std::string_view> merges;  // tokenizer.ggml.merges, "left right"; may be empty
  std::span<const std::int32_t> types;       // tokenizer.ggml.token_type, 1 normal; may be empty
};

// Immutable and thread-safe after loading.
class Bpe {
 public:
  // Reads a rank file ("base64 rank" a line) and uses the o200k split. Hostile input is bounded;
  // errors name the line.
  static Result<std::unique_ptr<Bpe>> LoadRanks(std::string_view rank_file);

  // Reads a Hugging Face tokenizer.json (at most 64 MB). What is not well formed is kCorruptFile;
  // another kind of tokenizer than o200k (model, split, byte level, control tokens) is
  // kInvalidInput. Errors name the field. Merges that do not follow the order of ids, as o200k's
  // do, are applied in their own order.
  static Result<std::unique_ptr<Bpe>> LoadJson(std::string_view tokenizer_json);

  // The same from GGUF metadata, llama.cpp's or Ollama's. Without merges the ids are the ranks.
  static Result<std::unique_ptr<Bpe>> LoadGguf(const GgufVocabulary& vocabulary);

  virtual ~Bpe() = default;

  // The ids of `text` as ordinary text: never an id at or above 199998. A run of one character
  // costs O(n log n). Ill-formed UTF-8 is encoded bytewise after the split of U+FFFD-repaired text.
  [[nodiscard]] virtual std::vector<std::uint32_t> Encode(std::string_view text) const = 0;
  [[nodiscard]] virtual std::size_t CountTokens(std::string_view text) const = 0;
  // The bytes of the ids; an id without bytes is an error.
  [[nodiscard]] virtual Result<std::string> Decode(const std::vector<std::uint32_t>& ids) const = 0;

  // Ordinary tokens: ids 0 .. size() - 1; at most 199998.
  [[nodiscard]] virtual std::size_t size() const = 0;
  // The bytes of one ordinary token, in memory that lives as long as this; empty for other ids.
  [[nodiscard]] virtual std::string_view Bytes(std::uint32_t id) const = 0;
};

}  // namespace safeguard::engine
