#include "moderation/cascade/familiar_words.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>

namespace safeguard::moderation {
namespace {

// At most 64. Words whose reverse is a word too (not, but, are, was, live, and for dna) are left
// out, for honest text has those.
constexpr auto kWords = std::to_array<std::string_view>({
    "the",   "you",   "for",   "with",   "that",   "this",   "have",    "will",
    "all",   "can",   "your",  "they",   "from",   "what",   "one",     "his",
    "her",   "she",   "our",   "out",    "how",    "who",    "when",    "there",
    "their", "them",  "then",  "about",  "would",  "could",  "should",  "just",
    "like",  "into",  "make",  "want",   "need",   "people", "because", "where",
    "kill",  "money", "free",  "hate",   "love",   "click",  "girl",    "women",
    "bomb",  "drugs", "shoot", "fuck",   "shit",   "bitch",  "ignore",  "previous",
    "sex",   "porn",  "die",   "murder", "attack", "here",   "system",  "please",
});
constexpr std::size_t kLongestPacked = 8;
static_assert(kWords.size() <= 64);
static_assert(std::ranges::all_of(kWords, [](std::string_view word) {
  return word.size() <= kLongestPacked;
}));

struct Entry {
  std::uint64_t packed;
  std::uint64_t bit;
};

constexpr char Rotate(char letter) {
  return static_cast<char>('a' + (letter - 'a' + 13) % 26);
}

constexpr std::uint64_t Pack(std::string_view word, bool backward, bool rotated) {
  std::uint64_t packed = 0;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const char letter = backward ? word[word.size() - 1 - i] : word[i];
    packed = PackLetter(packed, rotated ? Rotate(letter) : letter);
  }
  return packed;
}

constexpr auto MakeTable(bool backward, bool rotated) {
  std::array<Entry, kWords.size()> table{};
  for (std::size_t i = 0; i < kWords.size(); ++i) {
    table[i] = {Pack(kWords[i], backward, rotated), std::uint64_t{1} << i};
  }
  std::ranges::sort(table, {}, &Entry::packed);
  return table;
}

constexpr auto kForward = MakeTable(false, false);
constexpr auto kBackward = MakeTable(true, false);
constexpr auto kRotated = MakeTable(false, true);

// One bit of 16384 for each disguised word: the scan asks this for every word of clean text.
constexpr std::size_t Slot(std::uint64_t packed) {
  return static_cast<std::size_t>((packed * 0x9E3779B97F4A7C15U) >> 50);
}

constexpr auto kFilter = [] {
  std::array<std::uint64_t, 256> filter{};
  for (const auto& table : {kBackward, kRotated}) {
    for (const Entry& entry : table) {
      const std::size_t slot = Slot(entry.packed);
      filter[slot / 64] |= std::uint64_t{1} << (slot % 64);
    }
  }
  return filter;
}();

template <typename Table>
std::uint64_t Bit(const Table& table, std::uint64_t packed) {
  const auto at = std::ranges::lower_bound(table, packed, {}, &Entry::packed);
  return at != table.end() && at->packed == packed ? at->bit : 0;
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

bool IsLetter(char c) {
  return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

bool Outweighs(std::uint64_t disguised, std::uint64_t plain) {
  return std::popcount(disguised) >= 2 && std::popcount(disguised) > std::popcount(plain);
}

}  // namespace

void AddDisguised(std::uint64_t packed, Familiarity& found) {
  const std::size_t slot = Slot(packed);
  if ((kFilter[slot / 64] >> (slot % 64) & 1) != 0) [[unlikely]] {
    found.backward |= Bit(kBackward, packed);
    found.rotated |= Bit(kRotated, packed);
  }
}

Familiarity Familiar(std::string_view text) {
  Familiarity found;
  for (std::size_t i = 0; i < text.size();) {
    if (!IsLetter(text[i]) && !IsDigit(text[i])) {
      ++i;
      continue;
    }
    const std::size_t begin = i;
    std::uint64_t packed = 0;
    bool digits = false;
    for (; i < text.size() && (IsLetter(text[i]) || IsDigit(text[i])); ++i) {
      packed = PackLetter(packed, text[i]);
      digits |= IsDigit(text[i]);
    }
    if (!digits && i - begin >= 3 && i - begin <= kLongestPacked) {
      found.forward |= Bit(kForward, packed);
      found.backward |= Bit(kBackward, packed);
      found.rotated |= Bit(kRotated, packed);
    }
  }
  return found;
}

bool LooksBackward(const Familiarity& familiarity) {
  return Outweighs(familiarity.backward, familiarity.forward);
}

bool LooksRotated(const Familiarity& familiarity) {
  return Outweighs(familiarity.rotated, familiarity.forward);
}

}  // namespace safeguard::moderation
