#include "engine/text/o200k/vocabulary.h"

#include <bitset>
#include <string>
#include <utility>

#include "engine/special_tokens.h"
#include "engine/text/o200k/byte_spelling.h"

namespace safeguard::engine {
namespace {

constexpr const char* kFetchAgain = "fetch the model's tokenizer again";

std::string TokenName(std::size_t id) {
  return "token " + std::to_string(id);
}

}  // namespace

Result<TokenTable> BuildOrdinaryTokens(std::span<const std::string_view> spelled) {
  if (spelled.size() > kOrdinaryTokens) {
    return Fail(ErrorCode::kLimit, "the vocabulary has over 199998 ordinary tokens",
                "only the o200k_harmony tokenizer is supported");
  }
  TokenList tokens;
  std::string bytes;
  std::bitset<256> singles;
  std::size_t total = 0;
  for (std::size_t id = 0; id < spelled.size(); ++id) {
    bytes.clear();
    if (!AppendSpelledBytes(spelled[id], bytes) || bytes.empty()) {
      return Fail(ErrorCode::kCorruptFile, TokenName(id) + " is not in byte-level spelling",
                  kFetchAgain);
    }
    total += bytes.size();
    if (bytes.size() > kSpelledTokenBytesMax || total > kSpelledBytesMax) {
      return Fail(ErrorCode::kLimit, TokenName(id) + " is over the limit of " +
                                         std::to_string(kSpelledTokenBytesMax) +
                                         " bytes a token and 4 MB for all");
    }
    if (bytes.size() == 1) {
      singles.set(static_cast<unsigned char>(bytes[0]));
    }
    tokens.Add(bytes, static_cast<std::uint32_t>(id));
  }
  for (std::size_t byte = 0; byte < singles.size(); ++byte) {
    if (!singles.test(byte)) {
      return Fail(ErrorCode::kCorruptFile, "no token is the single byte " + std::to_string(byte),
                  kFetchAgain);
    }
  }
  return TokenTable::Build(std::move(tokens));
}

Status CheckControlTokens(std::span<const NamedToken> tokens) {
  constexpr const char* kOnly = "only the o200k_harmony tokenizer of gpt-oss is supported";
  std::bitset<kVocabularyRows - kOrdinaryTokens> found;
  for (const NamedToken& token : tokens) {
    const std::optional<std::uint32_t> id = ControlTokenId(token.name);
    if (!id) {
      continue;
    }
    if (*id != token.id) {
      return Fail(ErrorCode::kInvalidInput,
                  "the control token " + std::string(token.name) + " has id " +
                      std::to_string(token.id) + ", not " + std::to_string(*id),
                  kOnly);
    }
    found.set(*id - kOrdinaryTokens);
  }
  for (const std::uint32_t id :
       {special::kReturn, special::kConstrain, special::kChannel, special::kStart, special::kEnd,
        special::kMessage, special::kCall}) {
    if (!found.test(id - kOrdinaryTokens)) {
      return Fail(ErrorCode::kInvalidInput,
                  "the tokenizer has no control token " + ControlTokenName(id), kOnly);
    }
  }
  return {};
}

}  // namespace safeguard::engine
