#include "moderation/cascade/lists/near_duplicate.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <unordered_set>

#include "base/unicode/characters.h"
#include "base/utf8.h"
#include "moderation/cascade/fold.h"
#include "moderation/lists.h"

namespace safeguard::moderation::lists {
namespace {

constexpr std::size_t kShingle = 5;
constexpr std::string_view kPrefix = "mh1:";
constexpr std::size_t kDigits = 4 * kHashes;

// The finaliser of SplitMix64 (Steele, Lea and Flood 2014).
constexpr std::uint64_t Mix(std::uint64_t x) {
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31U);
}

// x -> factor * x + offset modulo 2^64 orders shingles, which are mixed already, anew.
struct Order {
  std::uint64_t factor = 0;  // odd
  std::uint64_t offset = 0;
};

constexpr std::array<Order, kHashes> MakeOrders() {
  std::array<Order, kHashes> orders{};
  std::uint64_t seed = 0x5afe6a2d;
  for (Order& order : orders) {
    order.factor = Mix(seed += 0x9e3779b97f4a7c15ULL) | 1U;
    order.offset = Mix(seed += 0x9e3779b97f4a7c15ULL);
  }
  return orders;
}

constexpr std::array<Order, kHashes> kOrders = MakeOrders();

bool Counts(char32_t c) {
  const unicode::Kind kind = unicode::KindOf(c);
  return kind == unicode::Kind::kLetter || kind == unicode::Kind::kMark ||
         kind == unicode::Kind::kDigit || kind == unicode::Kind::kNumber;
}

}  // namespace

std::vector<std::uint64_t> Shingles(std::string_view text, std::size_t at_most) {
  const std::string folded = Fold(text).text;
  std::unordered_set<std::uint64_t> distinct;
  std::array<char32_t, kShingle> last{};
  std::size_t characters = 0;
  const auto push = [&](char32_t c) {
    std::ranges::rotate(last, last.begin() + 1);
    last.back() = c;
    if (++characters >= kShingle) {
      std::uint64_t hash = 0;
      for (const char32_t each : last) {
        hash = Mix(hash + each + 0x9e3779b97f4a7c15ULL);
      }
      distinct.insert(hash);
    }
  };
  bool gap = false;  // between words, if another follows
  for (std::size_t at = 0; at < folded.size() && distinct.size() <= at_most;) {
    const DecodedCodePoint point = DecodeUtf8(folded, at);
    at += point.length;
    if (!Counts(point.value)) {
      gap = characters > 0;
      continue;
    }
    if (gap) {
      push(U' ');
      gap = false;
    }
    push(point.value);
  }
  return {distinct.begin(), distinct.end()};
}

Fingerprint MakeFingerprint(const std::vector<std::uint64_t>& shingles) {
  Fingerprint fingerprint;
  fingerprint.shingles = static_cast<std::uint32_t>(shingles.size());
  for (std::size_t i = 0; i < kHashes; ++i) {
    std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
    for (const std::uint64_t shingle : shingles) {
      least = std::min(least, kOrders[i].factor * shingle + kOrders[i].offset);
    }
    fingerprint.values[i] = static_cast<std::uint16_t>(Mix(least));
  }
  return fingerprint;
}

double Similarity(const Fingerprint& a, const Fingerprint& b) {
  std::size_t equal = 0;
  for (std::size_t i = 0; i < kHashes; ++i) {
    equal += a.values[i] == b.values[i] ? 1 : 0;
  }
  return static_cast<double>(equal) / kHashes;
}

std::string FingerprintText(const Fingerprint& fingerprint) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string text = std::string(kPrefix) + std::to_string(fingerprint.shingles) + ":";
  for (const std::uint16_t value : fingerprint.values) {
    for (const unsigned shift : {12U, 8U, 4U, 0U}) {
      text += kHex[(value >> shift) & 15U];
    }
  }
  return text;
}

std::optional<Fingerprint> ParseFingerprint(std::string_view text) {
  const std::size_t colon = text.find(':', kPrefix.size());
  if (!text.starts_with(kPrefix) || colon == std::string_view::npos ||
      text.size() - colon - 1 != kDigits) {
    return std::nullopt;
  }
  Fingerprint fingerprint;
  const auto [end, failed] =
      std::from_chars(text.data() + kPrefix.size(), text.data() + colon, fingerprint.shingles);
  if (failed != std::errc() || end != text.data() + colon || fingerprint.shingles < kShinglesMin ||
      fingerprint.shingles > kShinglesMax) {
    return std::nullopt;
  }
  const char* digits = text.data() + colon + 1;
  for (std::uint16_t& value : fingerprint.values) {
    const auto [stop, bad] = std::from_chars(digits, digits + 4, value, 16);
    if (bad != std::errc() || stop != digits + 4) {
      return std::nullopt;
    }
    digits += 4;
  }
  return fingerprint;
}

}  // namespace safeguard::moderation::lists

namespace safeguard::moderation {

Result<std::string> NearFingerprint(std::string_view text) {
  const std::vector<std::uint64_t> shingles = lists::Shingles(text, lists::kShinglesMax);
  if (shingles.size() < lists::kShinglesMin) {
    return Fail(ErrorCode::kInvalidInput,
                "the text is too short for near duplicates: " + std::to_string(shingles.size()) +
                    " distinct runs of five letters, of at least " +
                    std::to_string(lists::kShinglesMin),
                "list it as exact");
  }
  if (shingles.size() > lists::kShinglesMax) {
    return Fail(ErrorCode::kLimit, "the text is too long for near duplicates",
                "list a part of it, of at most some 64,000 characters");
  }
  return lists::FingerprintText(lists::MakeFingerprint(shingles));
}

}  // namespace safeguard::moderation
