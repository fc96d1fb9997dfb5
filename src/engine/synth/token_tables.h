// The tokenizer tables of a GGUF: every token's spelling and type, and the merges that make the
// byte-pair encoding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace safeguard::engine {

struct TokenTables {
  std::vector<std::string> tokens;  // by id; bytes spelled as GPT-2 does, each as one character
  std::vector<std::int32_t> types;  // 1 normal, 3 control, 5 unused
  std::vector<std::string> merges;  // "left right", in the order of their ranks
};

// `size` tokens: those of `rank_file` as far as they fit (empty: the 256 single bytes), then
// o200k_harmony's control tokens at their ids, and fillers for what is left. A token's merges are
// all pairs of tokens that it can be cut into, as Hugging Face's converter writes them.
Result<TokenTables> MakeTokenTables(std::string_view rank_file, std::size_t size);

}  // namespace safeguard::engine
