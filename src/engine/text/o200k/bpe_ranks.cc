#include <utility>

#include "engine/text/o200k/bpe_sources.h"
#include "engine/text/rank_file.h"

namespace safeguard::engine {

Result<BpeParts> ReadBpeRanks(std::string_view rank_file) {
  Result<TokenList> tokens = ReadRankFile(rank_file);
  if (!tokens) {
    return std::unexpected(std::move(tokens.error()));
  }
  Result<TokenTable> table = TokenTable::Build(std::move(*tokens));
  if (!table) {
    table.error().message = "rank file: " + table.error().message;
    return std::unexpected(std::move(table.error()));
  }
  return BpeParts{std::move(*table), std::nullopt, true};
}

}  // namespace safeguard::engine
