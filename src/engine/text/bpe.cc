#include "engine/bpe.h"

#include <utility>

#include "base/utf8.h"
#include "engine/text/byte_pair_merge.h"
#include "engine/text/o200k/bpe_sources.h"
#include "engine/text/o200k_split.h"

namespace safeguard::engine {
namespace {

class O200kBpe final : public Bpe {
 public:
  explicit O200kBpe(BpeParts parts) : parts_(std::move(parts)) {}

  [[nodiscard]] std::vector<std::uint32_t> Encode(std::string_view text) const override {
    std::vector<std::uint32_t> ids;
    BytePairMerger merger = parts_.merges
                                ? BytePairMerger(parts_.tokens, *parts_.merges, parts_.whole_pieces)
                                : BytePairMerger(parts_.tokens);
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
      if (id >= size()) {
        return Fail(ErrorCode::kInvalidInput, "token id " + std::to_string(id) + " has no bytes",
                    "control tokens cannot be decoded to text");
      }
      text.append(Bytes(id));
    }
    return text;
  }

  [[nodiscard]] std::size_t size() const override { return parts_.tokens.tokens().size(); }

  [[nodiscard]] std::string_view Bytes(std::uint32_t id) const override {
    return id < size() ? parts_.tokens.tokens().bytes(id) : std::string_view();
  }

 private:
  BpeParts parts_;
  O200kSplit split_;
};

Result<std::unique_ptr<Bpe>> Make(Result<BpeParts> parts) {
  if (!parts) {
    return std::unexpected(std::move(parts.error()));
  }
  return std::make_unique<O200kBpe>(std::move(*parts));
}

}  // namespace

Result<std::unique_ptr<Bpe>> Bpe::LoadRanks(std::string_view rank_file) {
  return Make(ReadBpeRanks(rank_file));
}

Result<std::unique_ptr<Bpe>> Bpe::LoadJson(std::string_view tokenizer_json) {
  return Make(ReadBpeJson(tokenizer_json));
}

Result<std::unique_ptr<Bpe>> Bpe::LoadGguf(const GgufVocabulary& vocabulary) {
  return Make(ReadBpeGguf(vocabulary));
}

}  // namespace safeguard::engine
