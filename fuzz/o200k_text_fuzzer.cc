// No text becomes a control token, every text decodes to itself, and streaming gives the same. With
// the real ranks when $SAFEGUARD_MODELS has them, else with the single bytes.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/file.h"
#include "base/utf8.h"
#include "engine/bpe.h"
#include "engine/special_tokens.h"
#include "engine/token_stream.h"

namespace {

using safeguard::engine::Bpe;

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

std::unique_ptr<Bpe> Load() {
  const char* models = std::getenv("SAFEGUARD_MODELS");
  const auto ranks = safeguard::ReadFile(
      std::string(models == nullptr ? "build/models" : models) + "/o200k/o200k_base.tiktoken",
      std::size_t{64} << 20);
  if (!ranks) {
    std::puts("NOT TESTED with the real ranks: no o200k/o200k_base.tiktoken in $SAFEGUARD_MODELS");
  }
  auto bpe = Bpe::LoadRanks(ranks ? *ranks : SingleBytes());
  CHECK(bpe.has_value());
  return std::move(*bpe);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::unique_ptr<Bpe> bpe = Load();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto ids = bpe->Encode(text);
  safeguard::engine::TokenStream stream(*bpe);
  std::string streamed;
  for (const std::uint32_t id : ids) {
    CHECK(id < safeguard::engine::kOrdinaryTokens);
    streamed += stream.Push(id);
  }
  streamed += stream.Finish();
  const auto decoded = bpe->Decode(ids);
  CHECK(decoded.has_value());
  CHECK(*decoded == text);
  CHECK(streamed == safeguard::RepairUtf8(text).text);
  CHECK(bpe->Encode(*decoded) == ids);
  return 0;
}
