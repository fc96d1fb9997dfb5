// What the runtime must know of a tokenizer: the bytes of each id and the canonical ids of a text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/bpe.h"

namespace safeguard::engine {

// Immutable; may be read from several threads.
class Vocabulary {
 public:
  virtual ~Vocabulary() = default;

  // Ids are 0 .. size() - 1: the rows of the model's unembedding.
  [[nodiscard]] virtual std::size_t size() const = 0;
  // The bytes of an ordinary token, in memory that lives as long as this; empty for a control
  // token and for an id without meaning. REQUIRES: id < size().
  [[nodiscard]] virtual std::string_view Bytes(std::uint32_t id) const = 0;
  // The canonical ids of `text` as ordinary text. Forced runs (engine/grammar.h) are right for
  // tokenizers that split text as o200k does before they merge.
  [[nodiscard]] virtual std::vector<std::uint32_t> Encode(std::string_view text) const = 0;
};

// The vocabulary of `bpe`, which must outlive it. Ids of `bpe` at and above `size`, and ids that
// `bpe` has no bytes for, are control tokens.
std::unique_ptr<Vocabulary> MakeVocabulary(const Bpe& bpe, std::size_t size);

}  // namespace safeguard::engine
