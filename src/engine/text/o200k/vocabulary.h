// Checks what tokenizer.json and GGUF have in common: ordinary tokens in byte spelling, and control
// tokens by name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/text/token_table.h"

namespace safeguard::engine {

constexpr std::size_t kSpelledTokenBytesMax = 256;              // o200k's longest has 128
constexpr std::size_t kSpelledBytesMax = std::size_t{4} << 20;  // of all; o200k has 1.3 MB

// The tokens of ids 0, 1, 2, ... from their spelling (byte_spelling.h). All 256 single bytes must
// be among them, none twice, at most 199998: else kCorruptFile or kLimit, naming the id.
Result<TokenTable> BuildOrdinaryTokens(std::span<const std::string_view> spelled);

struct NamedToken {
  std::string_view name;
  std::uint32_t id = 0;
};

// kInvalidInput unless the seven tokens that structure a Harmony conversation have the ids of
// o200k_harmony.
Status CheckControlTokens(std::span<const NamedToken> tokens);

}  // namespace safeguard::engine
