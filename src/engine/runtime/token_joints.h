// Which tokens of a forced run of bytes are certain whatever text follows.
//
// A tokenizer of the o200k family first splits text by a pattern (engine/text/o200k_split.h) and
// then merges inside each piece alone. So the ids of a text up to a place where a piece surely ends
// depend on nothing behind that place. A run is forced up to the last such place and no further:
// what could still join with the text that follows is left to be sampled, under the grammar.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/runtime/expression.h"
#include "engine/vocabulary.h"

namespace safeguard::engine {

// Whether a piece surely ends before text[at], given only that `text` starts a message and goes on
// with one of the bytes `next` or ends. True only where that holds for every such text; false near
// any character beyond ASCII. REQUIRES: at <= text.size().
bool SurelyBreaks(std::string_view text, std::size_t at, const ByteSet& next);

// A message so far, as it was written.
struct WrittenTokens {
  std::string_view text;
  std::span<const std::uint32_t> ids;
  std::span<const std::size_t> ends;  // ends[i]: bytes of text up to and with ids[i]
};

// The tokens that may be appended unsampled when the message must go on with `run`, and behind it
// with one of the bytes `next` or the end. With them the ids are those that the tokenizer gives for
// the whole message, from the last sure break on. Empty when what was written cannot be the
// beginning of such ids.
std::vector<std::uint32_t> ForcedTokens(const Vocabulary& vocabulary, const WrittenTokens& written,
                                        std::string_view run, const ByteSet& next);

}  // namespace safeguard::engine
