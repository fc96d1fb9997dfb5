// o200k: the byte-pair encoding of gpt-oss and gpt-oss-safeguard.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace safeguard::engine {

// Immutable and thread-safe after Load.
class Bpe {
 public:
  // Reads a rank file ("base64 rank" a line) and uses the o200k split. Hostile input is bounded;
  // errors name the line.
  static Result<std::unique_ptr<Bpe>> LoadRanks(std::string_view rank_file);
  virtual ~Bpe() = default;

  // The ids of `text` as ordinary text: never an id at or above 199998. A run of one character
  // costs O(n log n). Ill-formed UTF-8 is encoded bytewise after the split of U+FFFD-repaired text.
  [[nodiscard]] virtual std::vector<std::uint32_t> Encode(std::string_view text) const = 0;
  [[nodiscard]] virtual std::size_t CountTokens(std::string_view text) const = 0;
  // The bytes of the ids; an id without bytes is an error.
  [[nodiscard]] virtual Result<std::string> Decode(const std::vector<std::uint32_t>& ids) const = 0;
};

}  // namespace safeguard::engine
