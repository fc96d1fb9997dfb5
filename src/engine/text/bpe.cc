#include "engine/bpe.h"

#include <utility>

#include "base/utf8.h"
#include "engine/text/byte_pair_merge.h"
#include "engine/text/o200k_split.h"
#include "engine/text/rank_file.h"
#include "engine/text/token_table.h"

namespace safeguard::engine {
namespace {

class O200kBpe final : public Bpe {
 public:
  explicit O200kBpe(TokenTable ranks) : ranks_(std::move(ranks)) {}

  [[nodiscard]] std::vector<std::uint32_t> Encode(std::string_view text) const override {
    std::vector<std::uint32_t> ids;
    BytePairMerger merger(ranks_);
    if (!FirstInvalidUtf8(text)) {
      split_.ForEachPiece(text, [&](std::size_t begin, std::size_t end) {
        merger.Append(text.substr(begin, end - begin), ids);
      });
      return ids;
    }
    const RepairedText repaired = RepairUtf8(text);
    split_.ForEachPiece(repaired.text, [&](std::size_t begin, std::size_t end) {
      const std::size_t from = repaired.origin[begin];
      merger.Append(text.substr(from, repaired.origin[end] - from), ids);
    });
    return ids;
  }

  [[nodiscard]] std::size_t CountTokens(std::string_view text) const override {
    return Encode(text).size();
  }

  [[nodiscard]] Result<std::string> Decode(const std::vector<std::uint32_t>& ids) const override {
    std::string text;
    for (const std::uint32_t id : ids) {
      if (id >= ranks_.tokens().size()) {
        return Fail(ErrorCode::kInvalidInput, "token id " + std::to_string(id) + " has no bytes",
                    "control tokens cannot be decoded to text");
      }
      text.append(ranks_.tokens().bytes(id));
    }
    return text;
  }

 private:
  TokenTable ranks_;
  O200kSplit split_;
};

}  // namespace

Result<std::unique_ptr<Bpe>> Bpe::LoadRanks(std::string_view rank_file) {
  Result<TokenList> tokens = ReadRankFile(rank_file);
  if (!tokens) {
    return std::unexpected(std::move(tokens.error()));
  }
  Result<TokenTable> ranks = TokenTable::Build(std::move(*tokens));
  if (!ranks) {
    ranks.error().message = "rank file: " + ranks.error().message;
    return std::unexpected(std::move(ranks.error()));
  }
  return std::make_unique<O200kBpe>(std::move(*ranks));
}

}  // namespace safeguard::engine
