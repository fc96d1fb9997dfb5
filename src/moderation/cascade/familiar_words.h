// Common English words, to tell text that reads from text that would read if it were turned round
// or shifted by thirteen letters. A compile-time table: no state.
#pragma once

#include <cstdint>
#include <string_view>

namespace safeguard::moderation {

// Which familiar words occur in a text as they are, backwards, and in rot13: one bit a word, so
// that a word repeated counts once.
struct Familiarity {
  std::uint64_t forward = 0;
  std::uint64_t backward = 0;
  std::uint64_t rotated = 0;
};

// Letters of one word, lower case, packed a byte each; words of 3 to 8 letters are worth asking.
constexpr std::uint64_t PackLetter(std::uint64_t packed, char letter) {
  return (packed << 8) | static_cast<unsigned char>(letter | 0x20);
}

// Adds the packed word when it is familiar backwards or in rot13. Made for asking every word.
void AddDisguised(std::uint64_t packed, Familiarity& found);

Familiarity Familiar(std::string_view text);

// At least two different words would read the other way, and more than read as they are.
bool LooksBackward(const Familiarity& familiarity);
bool LooksRotated(const Familiarity& familiarity);

}  // namespace safeguard::moderation
