// The reader of rank files, and encoding with whatever ranks it accepts. Up to the first 0xFF the
// input is the tail of a rank file behind the 256 single bytes, so that accepted files are common;
// what follows is the text. A first byte of 0xFE gives the whole input to the reader alone.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "engine/bpe.h"

namespace {

std::string SingleBytes() {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string file;
  for (unsigned byte = 0; byte < 256; ++byte) {
    file += alphabet[byte >> 2];
    file += alphabet[byte << 4 & 63U];
    file += "== " + std::to_string(byte) + "\n";
  }
  return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string singles = SingleBytes();
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.starts_with('\xFE')) {
    const bool accepted = safeguard::engine::Bpe::LoadRanks(input.substr(1)).has_value();
    if (accepted) {
      CHECK(size > 256);
    }
    return 0;
  }
  const std::size_t cut = input.find('\xFF');
  const auto bpe = safeguard::engine::Bpe::LoadRanks(singles + std::string(input.substr(0, cut)));
  if (!bpe) {
    CHECK(!bpe.error().message.empty());
    return 0;
  }
  const std::string_view text = cut == std::string_view::npos ? input : input.substr(cut + 1);
  const auto ids = (*bpe)->Encode(text);
  const auto decoded = (*bpe)->Decode(ids);
  CHECK(decoded.has_value());
  CHECK(*decoded == text);
  CHECK((*bpe)->CountTokens(text) == ids.size());
  return 0;
}
