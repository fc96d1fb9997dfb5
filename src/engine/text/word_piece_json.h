// Parses a tokenizer.json: everything into a small document, except model.vocab, whose tens of
// thousands of entries go straight into a TokenList.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "base/result.h"
#include "engine/text/token_table.h"

namespace safeguard::engine {

constexpr std::size_t kTokenizerJsonBytesMax = std::size_t{32} << 20;
constexpr std::int64_t kTokenIdMax = (1 << 24) - 1;

struct TokenizerDocument {
  nlohmann::json root;   // model.vocab is an empty object here
  TokenList vocabulary;  // ids in [0, kTokenIdMax]
  bool has_vocabulary = false;
};

// Not JSON, nested over 32 levels, over a million values, a repeated key, or a vocabulary entry
// without a proper id: kCorruptFile. Over kTokenizerJsonBytesMax: kLimit.
Result<TokenizerDocument> ParseTokenizerDocument(std::string_view json);

}  // namespace safeguard::engine
