// The Harmony parser over any ids. Each byte is one id: below 0x20 a control token or no token at
// all, else the byte. The first byte chooses the options. What the parser reports as it goes must
// add up to the messages it gives, within its limits.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/utf8.h"
#include "engine/harmony_parser.h"
#include "engine/special_tokens.h"

namespace {

using safeguard::engine::Bpe;
using safeguard::engine::HarmonyParser;

std::unique_ptr<Bpe> SingleBytes() {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string file;
  for (unsigned byte = 0; byte < 256; ++byte) {
    file += alphabet[byte >> 2];
    file += alphabet[byte << 4 & 63U];
    file += "== " + std::to_string(byte) + "\n";
  }
  auto bpe = Bpe::LoadRanks(file);
  CHECK(bpe.has_value());
  return std::move(*bpe);
}

std::uint32_t IdOf(std::uint8_t byte) {
  return byte == 0x1F ? 300 : byte < 0x20 ? safeguard::engine::kOrdinaryTokens + byte : byte;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::unique_ptr<Bpe> bpe = SingleBytes();
  if (size == 0) {
    return 0;
  }
  safeguard::engine::HarmonyParserOptions options;
  options.strict = (data[0] & 1U) != 0;
  if ((data[0] & 2U) != 0) {
    options.role.reset();
  }
  options.header_tokens_max = 64;
  options.text_bytes_max = 4096;
  HarmonyParser parser(*bpe, options);
  std::size_t messages = 0;
  for (std::size_t i = 1; i < size; ++i) {
    const std::uint32_t id = IdOf(data[i]);
    const auto before = parser.state();
    const auto status = parser.Push(id);
    CHECK(status || !status.error().message.empty());
    CHECK(!safeguard::FirstInvalidUtf8(parser.new_text()));
    CHECK(parser.messages().size() - messages <= 1);
    messages = parser.messages().size();
    if (parser.state() == HarmonyParser::State::kContent) {
      // Only <|message|> opens a content, whatever the text says.
      CHECK(before == HarmonyParser::State::kContent || id == safeguard::engine::special::kMessage);
      CHECK(parser.content().ends_with(parser.new_text()));
    } else {
      CHECK(!parser.in_final());
    }
  }
  const bool open = parser.state() == HarmonyParser::State::kHeader;
  const auto finished = parser.Finish();
  CHECK(finished.has_value() ? !open
                             : open || finished.error().code == safeguard::ErrorCode::kLimit);
  std::size_t bytes = 0;
  for (const auto& message : parser.messages()) {
    CHECK(!safeguard::FirstInvalidUtf8(message.content));
    bytes += message.content.size();
  }
  CHECK(bytes <= options.text_bytes_max);
  return 0;
}
