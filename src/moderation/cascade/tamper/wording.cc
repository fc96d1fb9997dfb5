#include "moderation/cascade/tamper/wording.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace safeguard::moderation::tamper {
namespace {

constexpr std::size_t kSize = std::size_t{1} << 14;
constexpr std::size_t kWindow = 128;
constexpr std::size_t kFeaturesMin = 4;
constexpr int kZeroDigit = 31;

bool IsSpace(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

bool IsWord(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
         (static_cast<unsigned char>(c) & 0x80U) != 0;
}

// Runs of letters and digits (all that is not ASCII counts as a letter), and single signs.
std::vector<std::string_view> TokensOf(std::string_view text) {
  std::vector<std::string_view> tokens;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at + 1;
    if (IsSpace(text[at])) {
      at = end;
      continue;
    }
    while (IsWord(text[at]) && end < text.size() && IsWord(text[end])) {
      ++end;
    }
    tokens.push_back(text.substr(at, end - at));
    at = end;
  }
  return tokens;
}

// FNV-1a, folded.
class Hash {
 public:
  explicit Hash(char kind) { Add(std::string_view(&kind, 1)); }
  Hash& Add(std::string_view bytes) {
    for (const char byte : bytes) {
      value_ = (value_ ^ static_cast<unsigned char>(byte)) * 16777619U;
    }
    return *this;
  }
  [[nodiscard]] std::uint32_t Place() const { return (value_ ^ (value_ >> 15U)) % kSize; }

 private:
  std::uint32_t value_ = 2166136261U;
};

// Each digit's number; of the base64 alphabet.
std::array<int, kSize> Weights() {
  std::array<int, kSize> weights{};
  for (std::size_t i = 0; i < kSize; ++i) {
    const char c = kWording.digits[i];
    const int digit = c >= 'A' && c <= 'Z'   ? c - 'A'
                      : c >= 'a' && c <= 'z' ? c - 'a' + 26
                      : c >= '0' && c <= '9' ? c - '0' + 52
                      : c == '+'             ? 62
                                             : 63;
    weights[i] = digit - kZeroDigit;
  }
  return weights;
}

double ScoreOf(std::span<const std::string_view> tokens, std::vector<std::uint32_t>& places) {
  static const std::array<int, kSize> kWeights = Weights();
  places.clear();
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    places.push_back(Hash('1').Add(tokens[i]).Place());
    for (const std::size_t gap : {std::size_t{1}, std::size_t{2}}) {
      if (i + gap < tokens.size()) {
        const char kind = gap == 1 ? '2' : '3';
        places.push_back(Hash(kind).Add(tokens[i]).Add(" ").Add(tokens[i + gap]).Place());
      }
    }
  }
  std::ranges::sort(places);
  const auto again = std::ranges::unique(places);
  places.erase(again.begin(), again.end());
  int total = 0;
  for (const std::uint32_t place : places) {
    total += kWeights[place];
  }
  return total * kWording.scale /
             std::sqrt(static_cast<double>(std::max(places.size(), kFeaturesMin))) +
         kWording.bias;
}

}  // namespace

WordingFinding WordingOf(std::string_view text) {
  const std::vector<std::string_view> tokens = TokensOf(text);
  std::vector<std::uint32_t> places;
  WordingFinding best{kWording.bias, 0, 0};
  std::size_t begin = 0;
  do {
    const std::size_t count = std::min(kWindow, tokens.size() - begin);
    const double score = ScoreOf(std::span(tokens).subspan(begin, count), places);
    if (count > 0 && score > best.score) {
      const std::string_view last = tokens[begin + count - 1];
      best = {score, static_cast<std::size_t>(tokens[begin].data() - text.data()),
              static_cast<std::size_t>(last.data() + last.size() - text.data())};
    }
    begin += kWindow / 2;
  } while (begin + kWindow / 2 < tokens.size());
  return best;
}

}  // namespace safeguard::moderation::tamper
