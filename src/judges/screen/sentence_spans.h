// Sentences in tokens.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "engine/word_piece.h"

namespace safeguard::judges {

// Tokens [begin, end) of a text that lie in one sentence.
struct TokenSpan {
  std::size_t begin;
  std::size_t end;
  friend bool operator==(const TokenSpan&, const TokenSpan&) = default;
};

// The sentences of `text`, whose tokens are `tokens` (at least one): in order, without gaps. One of
// under four tokens joins its neighbour: too little to say anything about.
std::vector<TokenSpan> SentenceSpans(std::string_view text,
                                     std::span<const engine::WordPieceToken> tokens);

}  // namespace safeguard::judges
