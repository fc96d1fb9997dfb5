#include "engine/text/o200k/byte_spelling.h"

#include <array>
#include <cstdint>

#include "base/utf8.h"

namespace safeguard::engine {
namespace {

struct Spelling {
  std::array<char32_t, 256> of_byte{};
  // byte + 1 by code point; 0 for a character that spells none.
  std::array<std::uint16_t, 512> byte_of{};
};

constexpr Spelling MakeSpelling() {
  Spelling spelling;
  char32_t next = 0x100;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte != 0xAD);
    const char32_t character = printable ? byte : next++;
    spelling.of_byte[byte] = character;
    spelling.byte_of[character] = static_cast<std::uint16_t>(byte + 1);
  }
  return spelling;
}
constexpr Spelling kSpelling = MakeSpelling();

}  // namespace

bool AppendSpelledBytes(std::string_view spelling, std::string& bytes) {
  for (std::size_t at = 0; at < spelling.size();) {
    const DecodedCodePoint point = DecodeUtf8(spelling, at);
    const std::uint16_t byte =
        point.valid && point.value < kSpelling.byte_of.size() ? kSpelling.byte_of[point.value] : 0;
    if (byte == 0) {
      return false;
    }
    bytes += static_cast<char>(byte - 1);
    at += point.length;
  }
  return true;
}

std::string SpellBytes(std::string_view bytes) {
  std::string spelling;
  for (const char byte : bytes) {
    AppendUtf8(kSpelling.of_byte[static_cast<unsigned char>(byte)], spelling);
  }
  return spelling;
}

}  // namespace safeguard::engine
