// Near duplicates: MinHash (Broder 1997) with 64 hash functions over the set of a text's shingles,
// of which 16 bits each are kept (b-bit minwise hashing, Li and König 2010). The share of equal
// values estimates the Jaccard similarity of two sets, with a standard deviation of at most 0.0625.
//
// A shingle is five letters or digits of the folded text, words parted by one space; signs and the
// kind of white space do not count.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace safeguard::moderation::lists {

inline constexpr std::size_t kHashes = 64;
// Fewer distinct shingles say too little: a changed word could turn the meaning.
inline constexpr std::size_t kShinglesMin = 40;
inline constexpr std::size_t kShinglesMax = 65'536;

struct Fingerprint {
  std::uint32_t shingles = 0;  // distinct ones
  std::array<std::uint16_t, kHashes> values{};
};

// The distinct shingles of a text, hashed, in no order. Stops with one more than `at_most`.
std::vector<std::uint64_t> Shingles(std::string_view text, std::size_t at_most);

Fingerprint MakeFingerprint(const std::vector<std::uint64_t>& shingles);

// Estimated Jaccard similarity, 0..1.
double Similarity(const Fingerprint& a, const Fingerprint& b);

// "mh1:SHINGLES:256 digits".
std::string FingerprintText(const Fingerprint& fingerprint);
std::optional<Fingerprint> ParseFingerprint(std::string_view text);

}  // namespace safeguard::moderation::lists
