#include <algorithm>
#include <utility>

#include "engine/special_tokens.h"
#include "engine/text/o200k/bpe_sources.h"
#include "engine/text/o200k/vocabulary.h"

namespace safeguard::engine {
namespace {

constexpr std::int32_t kNormal = 1;  // LLAMA_TOKEN_TYPE_NORMAL

template <typename T>
Result<T> InMetadata(Result<T> result) {
  if (!result) {
    result.error().message = "GGUF tokenizer: " + result.error().message;
  }
  return result;
}

// Ids from 199998 on are control tokens and padding of any type; below, all are text.
Status CheckTypes(const GgufVocabulary& vocabulary, std::size_t ordinary) {
  if (vocabulary.types.empty()) {
    return {};
  }
  if (vocabulary.types.size() != vocabulary.tokens.size()) {
    return Fail(ErrorCode::kCorruptFile,
                "GGUF tokenizer: " + std::to_string(vocabulary.tokens.size()) + " tokens but " +
                    std::to_string(vocabulary.types.size()) + " token types");
  }
  for (std::size_t id = 0; id < ordinary; ++id) {
    if (vocabulary.types[id] != kNormal) {
      return Fail(ErrorCode::kInvalidInput,
                  "GGUF tokenizer: token " + std::to_string(id) + " has type " +
                      std::to_string(vocabulary.types[id]) + ", not 1 (normal)",
                  "only the o200k_harmony tokenizer of gpt-oss is supported");
    }
  }
  return {};
}

}  // namespace

Result<BpeParts> ReadBpeGguf(const GgufVocabulary& vocabulary) {
  const std::size_t ordinary = std::min<std::size_t>(vocabulary.tokens.size(), kOrdinaryTokens);
  if (Status status = CheckTypes(vocabulary, ordinary); !status) {
    return std::unexpected(std::move(status.error()));
  }
  std::vector<NamedToken> named;
  for (std::size_t id = ordinary;
       id < std::min<std::size_t>(vocabulary.tokens.size(), kVocabularyRows); ++id) {
    named.push_back({vocabulary.tokens[id], static_cast<std::uint32_t>(id)});
  }
  if (Status status = CheckControlTokens(named); !status) {
    status.error().message = "GGUF tokenizer: " + status.error().message;
    return std::unexpected(std::move(status.error()));
  }
  Result<TokenTable> tokens = InMetadata(BuildOrdinaryTokens(vocabulary.tokens.first(ordinary)));
  if (!tokens) {
    return std::unexpected(std::move(tokens.error()));
  }
  BpeParts parts{std::move(*tokens), std::nullopt, true};
  if (vocabulary.merges.empty()) {
    return parts;
  }
  Result<MergeTable> merges = InMetadata(MergeTable::Build(
      parts.tokens, vocabulary.merges.size(), [&](std::size_t i) { return vocabulary.merges[i]; }));
  if (!merges) {
    return std::unexpected(std::move(merges.error()));
  }
  if (!merges->FollowsIds(parts.tokens)) {
    parts.merges = std::move(*merges);
  }
  return parts;
}

}  // namespace safeguard::engine
