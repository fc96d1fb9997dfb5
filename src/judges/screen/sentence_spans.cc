#include "judges/screen/sentence_spans.h"

#include "moderation/views.h"

namespace safeguard::judges {
namespace {

constexpr std::size_t kSentenceBytesMax = 600;
constexpr std::size_t kSentenceTokensMin = 4;

}  // namespace

std::vector<TokenSpan> SentenceSpans(std::string_view text,
                                     std::span<const engine::WordPieceToken> tokens) {
  std::vector<TokenSpan> spans;
  std::size_t token = 0;
  for (const auto& [begin, end] : moderation::Sentences(text, kSentenceBytesMax)) {
    const std::size_t first = token;
    while (token < tokens.size() && tokens[token].begin < end) {
      ++token;
    }
    if (token == first) {
      continue;
    }
    const bool join = !spans.empty() && spans.back().end - spans.back().begin < kSentenceTokensMin;
    if (join) {
      spans.back().end = token;
    } else {
      spans.push_back({first, token});
    }
  }
  if (spans.empty() || spans.back().end < tokens.size()) {
    spans.push_back({spans.empty() ? 0 : spans.back().end, tokens.size()});
  }
  if (spans.size() > 1 && spans.back().end - spans.back().begin < kSentenceTokensMin) {
    spans[spans.size() - 2].end = spans.back().end;
    spans.pop_back();
  }
  return spans;
}

}  // namespace safeguard::judges
