#include "engine/runtime/characters.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/check.h"
#include "base/utf8.h"

namespace safeguard::engine {
namespace {

constexpr std::uint32_t kLast = 0x10FFFF;

ExpressionId Utf8Sequence(ExpressionArena& arena, const std::string& first,
                          const std::string& last) {
  ExpressionId rest = kEmpty;
  for (std::size_t i = first.size(); i-- > 0;) {
    rest = arena.Concat(
        arena.ByteRange(static_cast<unsigned char>(first[i]), static_cast<unsigned char>(last[i])),
        rest);
  }
  return rest;
}

std::string Utf8(std::uint32_t character) {
  std::string bytes;
  AppendUtf8(static_cast<char32_t>(character), bytes);
  return bytes;
}

// Cuts [first, last], of one encoded length, until each byte of a part has a range of its own
// (the method of Thompson's utf8 ranges, as in RE2's compiler).
void AddUtf8(ExpressionArena& arena, std::uint32_t first, std::uint32_t last,
             std::vector<ExpressionId>& parts) {
  for (const std::uint32_t bits : {6U, 12U, 18U}) {
    const std::uint32_t mask = (1U << bits) - 1;
    if (Utf8(first).size() * 6 <= bits || (first & ~mask) == (last & ~mask)) {
      continue;
    }
    if ((first & mask) != 0) {
      AddUtf8(arena, first, first | mask, parts);
      AddUtf8(arena, (first | mask) + 1, last, parts);
      return;
    }
    if ((last & mask) != mask) {
      AddUtf8(arena, first, (last & ~mask) - 1, parts);
      AddUtf8(arena, last & ~mask, last, parts);
      return;
    }
  }
  parts.push_back(Utf8Sequence(arena, Utf8(first), Utf8(last)));
}

void AddUtf8Range(ExpressionArena& arena, std::uint32_t first, std::uint32_t last,
                  std::vector<ExpressionId>& parts) {
  struct Block {
    std::uint32_t first;
    std::uint32_t last;
  };
  constexpr std::array<Block, 5> kBlocks = {
      {{0, 0x7F}, {0x80, 0x7FF}, {0x800, 0xD7FF}, {0xE000, 0xFFFF}, {0x10000, kLast}}};
  for (const Block& block : kBlocks) {
    const std::uint32_t from = std::max(first, block.first);
    const std::uint32_t to = std::min(last, block.last);
    if (from <= to) {
      AddUtf8(arena, from, to, parts);
    }
  }
}

bool NeedsEscape(std::uint32_t character) {
  return character < 0x20 || character == '"' || character == '\\';
}

std::string Escaped(std::uint32_t character) {
  constexpr std::string_view kShort = "\"\\\b\f\n\r\t";
  constexpr std::string_view kLetter = "\"\\bfnrt";
  const std::size_t at = kShort.find(static_cast<char>(character));
  if (at != std::string_view::npos) {
    return std::string("\\") + kLetter[at];
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  return std::string("\\u00") + kHex[character >> 4] + kHex[character & 15U];
}

}  // namespace

CharacterSet CharacterSet::Of(std::uint32_t first, std::uint32_t last) {
  CharacterSet set;
  set.Add(first, last);
  return set;
}

void CharacterSet::Add(std::uint32_t first, std::uint32_t last) {
  CHECK(first <= last && last <= kLast);
  std::vector<Range> merged;
  for (const Range& range : ranges_) {
    const bool apart = range.second + 1 < first || (last < kLast && last + 1 < range.first);
    if (apart) {
      merged.push_back(range);
    } else {
      first = std::min(first, range.first);
      last = std::max(last, range.second);
    }
  }
  merged.emplace_back(first, last);
  std::ranges::sort(merged);
  ranges_ = std::move(merged);
}

void CharacterSet::Add(const CharacterSet& other) {
  for (const auto& [first, last] : other.ranges_) {
    Add(first, last);
  }
}

CharacterSet CharacterSet::Complement() const {
  CharacterSet rest;
  std::uint32_t next = 0;
  for (const auto& [first, last] : ranges_) {
    if (first > next) {
      rest.ranges_.emplace_back(next, first - 1);
    }
    next = last + 1;
  }
  if (next <= kLast) {
    rest.ranges_.emplace_back(next, kLast);
  }
  return rest;
}

bool CharacterSet::Contains(std::uint32_t character) const {
  return std::ranges::any_of(ranges_, [character](const Range& range) {
    return range.first <= character && character <= range.second;
  });
}

ExpressionId SpellCharacter(ExpressionArena& arena, const CharacterSet& set, Spelling spelling) {
  std::vector<ExpressionId> parts;
  if (spelling == Spelling::kPlain) {
    for (const auto& [first, last] : set.ranges()) {
      AddUtf8Range(arena, first, last, parts);
    }
    return arena.Alternatives(std::move(parts));
  }
  CharacterSet escaped = CharacterSet::Of(0, 0x1F);
  escaped.Add('"', '"');
  escaped.Add('\\', '\\');
  // The characters of the set that stand for themselves: what is neither outside nor escaped.
  CharacterSet other = set.Complement();
  other.Add(escaped);
  const CharacterSet plain = other.Complement();
  for (const auto& [first, last] : plain.ranges()) {
    AddUtf8Range(arena, first, last, parts);
  }
  for (std::uint32_t c = 0; c <= '\\'; ++c) {
    if (NeedsEscape(c) && set.Contains(c)) {
      parts.push_back(arena.Literal(Escaped(c)));
    }
  }
  return arena.Alternatives(std::move(parts));
}

ExpressionId SpellText(ExpressionArena& arena, const std::string& text, Spelling spelling) {
  if (spelling == Spelling::kPlain) {
    return arena.Literal(text);
  }
  std::string written;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    written += NeedsEscape(byte) ? Escaped(byte) : std::string(1, c);
  }
  return arena.Literal(written);
}

}  // namespace safeguard::engine
