// Parses a tokenizer.json: everything into a small document, except model.vocab and model.merges,
// whose hundreds of thousands of entries go straight into a TokenList each.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "base/result.h"
#include "engine/text/token_table.h"

namespace safeguard::engine {

constexpr std::size_t kTokenizerJsonBytesMax = std::size_t{64} << 20;
constexpr std::int64_t kTokenIdMax = (1 << 24) - 1;

struct TokenizerDocument {
  nlohmann::json root;   // model.vocab and model.merges are empty here
  TokenList vocabulary;  // ids in [0, kTokenIdMax]
  TokenList merges;      // "left right"; their ids count up from 0
  bool has_vocabulary = false;
  bool has_merges = false;
};

// Not JSON, nested over 32 levels, over a million values, a repeated key, a vocabulary entry
// without a proper id, or a merge that is neither "left right" nor ["left", "right"]: kCorruptFile.
// Over kTokenizerJsonBytesMax: kLimit.
Result<TokenizerDocument> ParseTokenizerDocument(std::string_view json);

}  // namespace safeguard::engine
