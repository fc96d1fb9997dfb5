// Reads a tiktoken rank file: one token a line, "base64 rank", the ranks counting up from 0.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"
#include "engine/text/token_table.h"

namespace safeguard::engine {

constexpr std::size_t kRanksMax = 199'998;        // ids from here on are o200k's control tokens
constexpr std::size_t kRankTokenBytesMax = 1024;  // o200k's longest has 128

// At most kRanksMax tokens, all 256 single bytes among them (so that every text can be encoded).
// Blank lines are skipped. Anything else is kCorruptFile naming the line.
Result<TokenList> ReadRankFile(std::string_view rank_file);

}  // namespace safeguard::engine
