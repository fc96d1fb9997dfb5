#include "moderation/cascade/plausible.h"

#include <algorithm>

#include "base/utf8.h"

namespace safeguard::moderation {
namespace {

bool IsLetterByte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z');
}

bool IsDigitByte(char c) {
  return c >= '0' && c <= '9';
}

bool IsSpaceByte(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

}  // namespace

bool IsPrintable(std::string_view bytes) {
  const auto control = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && !IsSpaceByte(c)) || byte == 0x7F;
  };
  return !bytes.empty() && std::ranges::none_of(bytes, control) && !FirstInvalidUtf8(bytes);
}

bool IsPlausibleText(std::string_view bytes) {
  if (!IsPrintable(bytes)) {
    return false;
  }
  const auto letters = static_cast<std::size_t>(std::ranges::count_if(bytes, IsLetterByte));
  const auto others = static_cast<std::size_t>(
      std::ranges::count_if(bytes, [](char c) { return IsDigitByte(c) || IsSpaceByte(c); }));
  return letters * 2 >= bytes.size() && (letters + others) * 4 >= bytes.size() * 3;
}

bool CarriesWords(std::string_view bytes) {
  return std::ranges::any_of(bytes, [](char c) { return IsLetterByte(c) || IsDigitByte(c); });
}

}  // namespace safeguard::moderation
