#include "eval/dataset/encoding.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/utf8.h"

namespace safeguard::eval {
namespace {

constexpr std::size_t kLookedAtMax = 4096;
constexpr std::size_t kWideBytesMin = 8;

}  // namespace

std::string GuessWideEncoding(std::string_view bytes) {
  bytes = bytes.substr(0, kLookedAtMax);
  if (bytes.size() < kWideBytesMin) {
    return {};
  }
  std::array<std::size_t, 2> nuls = {0, 0};  // at even and odd places
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    nuls[i % 2] += bytes[i] == '\0' ? 1 : 0;
  }
  const std::size_t half = bytes.size() / 2;
  if (nuls[1] * 10 >= half * 7 && nuls[0] * 10 < half) {
    return "UTF-16LE";
  }
  return nuls[0] * 10 >= half * 7 && nuls[1] * 10 < half ? "UTF-16BE" : "";
}

std::string GuessEncoding(std::string_view text) {
  std::size_t foreign = 0;
  bool windows = false;
  for (std::size_t at = 0; at < text.size();) {
    const DecodedCodePoint point = DecodeUtf8(text, at);
    if (point.valid) {
      at += point.length;
      continue;
    }
    const auto byte = static_cast<unsigned char>(text[at]);
    // Of 0x80 to 0x9F Latin-1 has no printable character; Windows-1252 has no 81, 8D, 8F, 90, 9D.
    constexpr std::array<unsigned char, 5> kNowhere = {0x81, 0x8D, 0x8F, 0x90, 0x9D};
    if (std::ranges::find(kNowhere, byte) != kNowhere.end()) {
      return {};
    }
    windows = windows || byte < 0xA0;
    ++foreign;
    ++at;
  }
  return foreign == 0 ? "" : windows ? "Windows-1252" : "Latin-1";
}

}  // namespace safeguard::eval
