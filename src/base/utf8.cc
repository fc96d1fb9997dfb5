#include "base/utf8.h"

#include "base/check.h"

namespace safeguard {
namespace {

// What may follow a lead byte: the length of the sequence and the range of its second byte
// (Unicode 15.0, table 3-7).
struct Lead {
  std::uint32_t length;
  unsigned char low;
  unsigned char high;
};

Lead LeadOf(unsigned char byte) {
  if (byte < 0x80) {
    return {1, 0, 0};
  }
  if (byte >= 0xC2 && byte <= 0xDF) {
    return {2, 0x80, 0xBF};
  }
  if (byte >= 0xE0 && byte <= 0xEF) {
    return {3, static_cast<unsigned char>(byte == 0xE0 ? 0xA0 : 0x80),
            static_cast<unsigned char>(byte == 0xED ? 0x9F : 0xBF)};
  }
  if (byte >= 0xF0 && byte <= 0xF4) {
    return {4, static_cast<unsigned char>(byte == 0xF0 ? 0x90 : 0x80),
            static_cast<unsigned char>(byte == 0xF4 ? 0x8F : 0xBF)};
  }
  return {0, 0, 0};
}

}  // namespace

DecodedCodePoint DecodeUtf8(std::string_view text, std::size_t offset) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = at(offset);
  const Lead lead = LeadOf(first);
  if (lead.length == 1) {
    return {first, 1, true};
  }
  if (lead.length == 0) {
    return {0xFFFD, 1, false};
  }
  char32_t value = first & (0xFFU >> (lead.length + 1));
  for (std::uint32_t i = 1; i < lead.length; ++i) {
    const unsigned char low = i == 1 ? lead.low : 0x80;
    const unsigned char high = i == 1 ? lead.high : 0xBF;
    if (offset + i >= text.size() || at(offset + i) < low || at(offset + i) > high) {
      return {0xFFFD, i, false};
    }
    value = (value << 6) | (at(offset + i) & 0x3FU);
  }
  return {value, lead.length, true};
}

std::optional<std::size_t> FirstInvalidUtf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const DecodedCodePoint point = DecodeUtf8(text, i);
    if (!point.valid) {
      return i;
    }
    i += point.length;
  }
  return std::nullopt;
}

RepairedText RepairUtf8(std::string_view text) {
  CHECK(text.size() < 0xFFFFFFFFU);
  RepairedText repaired;
  repaired.text.reserve(text.size());
  repaired.origin.reserve(text.size() + 1);
  for (std::size_t i = 0; i < text.size();) {
    const DecodedCodePoint point = DecodeUtf8(text, i);
    const std::size_t before = repaired.text.size();
    if (point.valid) {
      repaired.text.append(text, i, point.length);
    } else {
      repaired.replaced_at.push_back(i);
      AppendUtf8(0xFFFD, repaired.text);
    }
    for (std::size_t k = before; k < repaired.text.size(); ++k) {
      repaired.origin.push_back(static_cast<std::uint32_t>(point.valid ? i + (k - before) : i));
    }
    i += point.length;
  }
  repaired.origin.push_back(static_cast<std::uint32_t>(text.size()));
  return repaired;
}

void AppendUtf8(char32_t code_point, std::string& out) {
  CHECK(code_point <= 0x10FFFF && (code_point < 0xD800 || code_point > 0xDFFF));
  const auto tail = [&](int shift) {
    out += static_cast<char>(0x80 | ((code_point >> shift) & 0x3F));
  };
  if (code_point < 0x80) {
    out += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    out += static_cast<char>(0xC0 | (code_point >> 6));
    tail(0);
  } else if (code_point < 0x10000) {
    out += static_cast<char>(0xE0 | (code_point >> 12));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0 | (code_point >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

}  // namespace safeguard
