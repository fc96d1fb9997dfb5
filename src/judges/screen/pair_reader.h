// From text to logits: a model of pairs (engine/pair_encoder.h) with its tokenizer and threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/thread_pool.h"
#include "engine/pair_encoder.h"
#include "engine/word_piece.h"
#include "judges/screen/sentence_spans.h"
#include "judges/screen_text.h"
#include "moderation/judge.h"

namespace safeguard::judges {

// A text in tokens and in the windows that the model reads it by: together they hold every token;
// neighbours overlap, so that what stands at the end of one is read in the middle of the next.
struct WindowedText {
  std::vector<engine::WordPieceToken> tokens;
  std::vector<TokenSpan> windows;  // none for a text without a single token
};

// Windows over `tokens` tokens: one, or the fewest of `window` tokens that overlap by at least
// `overlap`, evenly spread. REQUIRES: overlap < window.
std::vector<TokenSpan> WindowsOf(std::size_t tokens, std::size_t window, std::size_t overlap);

// What is asked about: tokens of a text.
struct Passage {
  const WindowedText* text;
  TokenSpan span;
};

struct PairScores {
  std::vector<double> logits;  // calibrated: of the probability; [passages][blocks]
  std::vector<float> states;   // each of length 1; [passages][blocks][hidden]; empty: not asked for
};

class PairReader {
 public:
  // Opens `base_folder`/tokenizer.json and the model. `threads` >= 1.
  static Result<std::unique_ptr<PairReader>> Open(const std::string& base_folder,
                                                  const std::string& trained_folder,
                                                  std::size_t threads);
  // REQUIRES: the tokenizer's ids are in the encoder's vocabulary.
  PairReader(std::unique_ptr<engine::WordPiece> tokenizer,
             std::unique_ptr<engine::PairEncoder> encoder, std::size_t threads);

  // All thread-safe; callers take turns on the threads.
  [[nodiscard]] TokenCounter token_counter() const;
  // The most tokens of a policy's text, without the special ones.
  [[nodiscard]] std::size_t policy_tokens_max() const;
  // A policy's text, cut where it is longer than a block.
  std::shared_ptr<const engine::PolicyBlock> EncodePolicy(std::string_view text);
  std::vector<WindowedText> Read(std::span<const std::string_view> texts);
  // Of the first passages only where `stop` said so meanwhile.
  PairScores Score(std::span<const Passage> passages,
                   std::span<const engine::PolicyBlock* const> blocks, bool states,
                   const moderation::StopSignal& stop = {});

  [[nodiscard]] ThreadPool& pool() { return pool_; }
  [[nodiscard]] std::size_t hidden() const { return encoder_->base_config().hidden; }
  [[nodiscard]] const engine::PairEncoder& encoder() const { return *encoder_; }

 private:
  std::unique_ptr<engine::WordPiece> tokenizer_;
  std::unique_ptr<engine::PairEncoder> encoder_;
  ThreadPool pool_;
};

}  // namespace safeguard::judges
