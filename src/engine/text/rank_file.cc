#include "engine/text/rank_file.h"

#include <array>
#include <bitset>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

namespace safeguard::engine {
namespace {

constexpr unsigned char kNoDigit = 0xFF;

constexpr std::array<unsigned char, 256> MakeDigits() {
  std::array<unsigned char, 256> digits{};
  digits.fill(kNoDigit);
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    digits[static_cast<unsigned char>(alphabet[i])] = static_cast<unsigned char>(i);
  }
  return digits;
}
constexpr std::array<unsigned char, 256> kDigits = MakeDigits();

// RFC 4648 with its padding and no bits left over.
bool DecodeBase64(std::string_view text, std::string& out) {
  out.clear();
  if (text.empty() || text.size() % 4 != 0) {
    return false;
  }
  const std::size_t padding = text.ends_with("==") ? 2 : (text.ends_with('=') ? 1 : 0);
  const std::size_t digits = text.size() - padding;
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const unsigned char digit = i < digits ? kDigits[static_cast<unsigned char>(text[i])] : 0;
    if (digit == kNoDigit) {
      return false;
    }
    bits = (bits << 6) | digit;
    if (i % 4 == 3) {
      out += static_cast<char>(bits >> 16 & 0xFF);
      out += static_cast<char>(bits >> 8 & 0xFF);
      out += static_cast<char>(bits & 0xFF);
      bits = 0;
    }
  }
  for (std::size_t i = 0; i < padding; ++i) {
    if (out.back() != 0) {
      return false;
    }
    out.pop_back();
  }
  return true;
}

// What is wrong with the line, or nothing.
std::optional<std::string> ReadLine(std::string_view line, TokenList& tokens, std::string& bytes) {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos || !DecodeBase64(line.substr(0, space), bytes)) {
    return "is not \"base64 rank\"";
  }
  if (bytes.size() > kRankTokenBytesMax) {
    return "has a token of over " + std::to_string(kRankTokenBytesMax) + " bytes";
  }
  const std::string_view digits = line.substr(space + 1);
  std::size_t rank = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), rank);
  if (error != std::errc{} || end != digits.data() + digits.size()) {
    return "does not end in a rank";
  }
  if (rank != tokens.size()) {
    return "does not have rank " + std::to_string(tokens.size()) + ", the next in order";
  }
  if (rank >= kRanksMax) {
    return "is over the limit of " + std::to_string(kRanksMax) + " ranks";
  }
  tokens.Add(bytes, static_cast<std::uint32_t>(rank));
  return std::nullopt;
}

std::unexpected<Error> Corrupt(const std::string& what) {
  return Fail(ErrorCode::kCorruptFile, "rank file: " + what,
              "fetch o200k_base.tiktoken again; it has 199998 lines");
}

}  // namespace

Result<TokenList> ReadRankFile(std::string_view rank_file) {
  TokenList tokens;
  std::string bytes;
  std::bitset<256> singles;
  std::size_t number = 0;
  while (!rank_file.empty()) {
    ++number;
    std::string_view line = rank_file.substr(0, rank_file.find('\n'));
    rank_file.remove_prefix(std::min(line.size() + 1, rank_file.size()));
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    if (line.empty()) {
      continue;
    }
    if (const auto wrong = ReadLine(line, tokens, bytes)) {
      return Corrupt("line " + std::to_string(number) + " " + *wrong);
    }
    if (bytes.size() == 1) {
      singles.set(static_cast<unsigned char>(bytes[0]));
    }
  }
  for (std::size_t byte = 0; byte < singles.size(); ++byte) {
    if (!singles.test(byte)) {
      return Corrupt("after line " + std::to_string(number) + ", no token is the single byte " +
                     std::to_string(byte));
    }
  }
  return tokens;
}

}  // namespace safeguard::engine
