// What is read from each file that carries o200k: its tokens, and its merges where they must be
// applied in their own order.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "engine/bpe.h"
#include "engine/text/o200k/merge_table.h"
#include "engine/text/token_table.h"

namespace safeguard::engine {

struct BpeParts {
  TokenTable tokens;  // entry i has id i
  // Nothing: the ids are the ranks, and two neighbours join when they make a token (tiktoken's
  // rule). Files whose merges say the same (MergeTable::FollowsIds) come out like this.
  std::optional<MergeTable> merges;
  // A piece that is a token is that token, whatever the merges say.
  bool whole_pieces = true;
};

// Errors as Bpe's functions of the same names document.
Result<BpeParts> ReadBpeRanks(std::string_view rank_file);
Result<BpeParts> ReadBpeJson(std::string_view tokenizer_json);
Result<BpeParts> ReadBpeGguf(const GgufVocabulary& vocabulary);

}  // namespace safeguard::engine
