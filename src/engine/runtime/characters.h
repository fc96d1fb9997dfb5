// Sets of Unicode characters and how they are written as bytes.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/runtime/expression.h"

namespace safeguard::engine {

// Code points [first, last], ascending, not touching. Surrogates are never written.
class CharacterSet {
 public:
  static CharacterSet Of(std::uint32_t first, std::uint32_t last);
  static CharacterSet All() { return Of(0, 0x10FFFF); }

  void Add(std::uint32_t first, std::uint32_t last);
  void Add(const CharacterSet& other);
  [[nodiscard]] CharacterSet Complement() const;
  [[nodiscard]] bool Contains(std::uint32_t character) const;

  using Range = std::pair<std::uint32_t, std::uint32_t>;
  [[nodiscard]] const std::vector<Range>& ranges() const { return ranges_; }

 private:
  std::vector<Range> ranges_;
};

// How the characters of a text stand in the answer.
enum class Spelling : std::uint8_t {
  kPlain,       // as UTF-8
  kJsonString,  // as UTF-8 inside a JSON string: " and \ and U+0000..U+001F are escaped, in one way
};

// Exactly one character of `set`.
ExpressionId SpellCharacter(ExpressionArena& arena, const CharacterSet& set, Spelling spelling);

// `text`, which must be valid UTF-8.
ExpressionId SpellText(ExpressionArena& arena, const std::string& text, Spelling spelling);

}  // namespace safeguard::engine
