#include "judges/screen/pair_reader.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "judges/screen/open_word_piece.h"

namespace safeguard::judges {
namespace {

constexpr std::size_t kOverlapTokens = 32;
// Bounds the memory of the last layer's rows: 3 KiB a pair, as much again with states.
constexpr std::size_t kPairsAtOnce = 4096;
// What can be stopped comes in smaller steps: tens of milliseconds.
constexpr std::size_t kPairsBetweenLooks = 256;

// Turns a state into one of length 1.
void Normalise(std::span<float> state) {
  double squares = 0;
  for (const float x : state) {
    squares += double{x} * double{x};
  }
  const auto scale = static_cast<float>(1.0 / std::sqrt(std::max(squares, 1e-24)));
  for (float& x : state) {
    x *= scale;
  }
}

}  // namespace

std::vector<TokenSpan> WindowsOf(std::size_t tokens, std::size_t window, std::size_t overlap) {
  CHECK(overlap < window);
  if (tokens <= window) {
    return tokens == 0 ? std::vector<TokenSpan>{} : std::vector<TokenSpan>{{0, tokens}};
  }
  const std::size_t step = window - overlap;
  const std::size_t count = (tokens - overlap + step - 1) / step;
  std::vector<TokenSpan> windows;
  for (std::size_t i = 0; i < count; ++i) {
    // The first at the start, the last at the end, the others evenly between.
    const std::size_t begin = i * (tokens - window) / (count - 1);
    windows.push_back({begin, begin + window});
  }
  return windows;
}

Result<std::unique_ptr<PairReader>> PairReader::Open(const std::string& base_folder,
                                                     const std::string& trained_folder,
                                                     std::size_t threads) {
  Result<std::unique_ptr<engine::WordPiece>> tokenizer = OpenWordPiece(base_folder);
  if (!tokenizer) {
    return std::unexpected(tokenizer.error());
  }
  Result<std::unique_ptr<engine::PairEncoder>> encoder =
      engine::PairEncoder::Load(base_folder, trained_folder);
  if (!encoder) {
    return std::unexpected(encoder.error());
  }
  if ((*tokenizer)->vocabulary_size() > (*encoder)->base_config().vocabulary) {
    return Fail(ErrorCode::kCorruptFile,
                base_folder + ": tokenizer.json and the weights do not belong together",
                "fetch the model again");
  }
  if ((*encoder)->config().content_tokens_max <= kOverlapTokens + kSpecialTokens) {
    return Fail(
        ErrorCode::kCorruptFile,
        trained_folder + "/config.json: 'content_tokens_max' leaves no room between windows",
        "install the trained screen again");
  }
  return std::make_unique<PairReader>(std::move(*tokenizer), std::move(*encoder), threads);
}

PairReader::PairReader(std::unique_ptr<engine::WordPiece> tokenizer,
                       std::unique_ptr<engine::PairEncoder> encoder, std::size_t threads)
    : tokenizer_(std::move(tokenizer)), encoder_(std::move(encoder)), pool_(threads) {
  CHECK(tokenizer_->vocabulary_size() <= encoder_->base_config().vocabulary);
}

TokenCounter PairReader::token_counter() const {
  return [this](std::string_view text) { return tokenizer_->Encode(text).size(); };
}

std::size_t PairReader::policy_tokens_max() const {
  // Never longer than what `policy show --screen-text` prints, which training reads.
  return std::min(encoder_->config().policy_tokens_max, kPolicyTokensMax) - kSpecialTokens;
}

std::shared_ptr<const engine::PolicyBlock> PairReader::EncodePolicy(std::string_view text) {
  std::vector<std::int32_t> ids = {tokenizer_->cls()};
  for (const engine::WordPieceToken& token : tokenizer_->Encode(text)) {
    if (ids.size() <= policy_tokens_max()) {
      ids.push_back(token.id);
    }
  }
  ids.push_back(tokenizer_->sep());
  return encoder_->EncodePolicy(ids, pool_);
}

std::vector<WindowedText> PairReader::Read(std::span<const std::string_view> texts) {
  std::vector<WindowedText> read(texts.size());
  const std::size_t window = encoder_->config().content_tokens_max - kSpecialTokens;
  pool_.ParallelFor(texts.size(), [&](std::size_t t, std::size_t) {
    read[t].tokens = tokenizer_->Encode(texts[t]);
    read[t].windows = WindowsOf(read[t].tokens.size(), window, kOverlapTokens);
  });
  return read;
}

PairScores PairReader::Score(std::span<const Passage> passages,
                             std::span<const engine::PolicyBlock* const> blocks, bool states,
                             const moderation::StopSignal& stop) {
  const engine::PairConfig& config = encoder_->config();
  // What training takes for a violation comes out above one half, as everywhere in this program.
  const double line = std::log(config.threshold / (1 - config.threshold));
  PairScores scores;
  const std::size_t at_once = std::max<std::size_t>(
      (stop ? kPairsBetweenLooks : kPairsAtOnce) / std::max<std::size_t>(blocks.size(), 1), 1);
  for (std::size_t first = 0; first < passages.size() && !(stop && stop()); first += at_once) {
    const std::size_t count = std::min(at_once, passages.size() - first);
    std::vector<std::vector<std::int32_t>> ids(count);
    std::vector<engine::TokenIds> contents;
    for (std::size_t i = 0; i < count; ++i) {
      const Passage& passage = passages[first + i];
      ids[i].push_back(tokenizer_->cls());
      for (std::size_t t = passage.span.begin; t < passage.span.end; ++t) {
        ids[i].push_back(passage.text->tokens[t].id);
      }
      ids[i].push_back(tokenizer_->sep());
      contents.emplace_back(ids[i]);
    }
    std::vector<float> logits(count * blocks.size());
    std::vector<float> rows(states ? logits.size() * hidden() : 0);
    encoder_->Score(contents, blocks, logits, rows, pool_);
    for (const float logit : logits) {
      scores.logits.push_back(config.logit_scale * double{logit} + config.logit_offset - line);
    }
    for (std::size_t row = 0; row < rows.size(); row += hidden()) {
      Normalise(std::span(rows).subspan(row, hidden()));
    }
    scores.states.insert(scores.states.end(), rows.begin(), rows.end());
  }
  return scores;
}

}  // namespace safeguard::judges
