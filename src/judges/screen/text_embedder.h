// From text to embeddings: the whole of a text and each of its sentences, in one pass of the
// encoder.
//
// A text longer than one window is cut at sentence boundaries into windows that together hold every
// token; sentence embeddings are pooled from the hidden states of the window they stand in ("late
// pooling"), so they cost nothing beyond the pass over the text itself.
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
#include "engine/encoder.h"
#include "engine/word_piece.h"
#include "moderation/judge.h"

namespace safeguard::judges {

// Bytes [begin, end) of a text.
struct TextUnit {
  std::uint32_t begin;
  std::uint32_t end;
  friend bool operator==(const TextUnit&, const TextUnit&) = default;
};

// units[0] is the whole text, then come windows (if more than one) and sentences (if more than
// one). A text without a single token has no units.
struct EmbeddedText {
  std::vector<TextUnit> units;
  std::vector<float> embeddings;  // [units.size()][hidden], each of length 1
};

class TextEmbedder {
 public:
  // Opens `folder`/tokenizer.json and the encoder. `threads` >= 1.
  // With `tuned_folder` the encoder's layers are those of its model.safetensors.
  static Result<std::unique_ptr<TextEmbedder>> Open(const std::string& folder, std::size_t threads,
                                                    const std::string& tuned_folder = {});

  // One result a text, in order; none at all where `stop` said so meanwhile. Thread-safe; callers
  // take turns on the threads.
  std::vector<EmbeddedText> Embed(std::span<const std::string_view> texts,
                                  const moderation::StopSignal& stop = {});

  [[nodiscard]] ThreadPool& pool() { return pool_; }
  [[nodiscard]] std::size_t hidden() const { return encoder_->config().hidden; }
  [[nodiscard]] const engine::Encoder& encoder() const { return *encoder_; }

 private:
  TextEmbedder(std::unique_ptr<engine::WordPiece> tokenizer,
               std::unique_ptr<engine::Encoder> encoder, std::size_t threads);

  std::unique_ptr<engine::WordPiece> tokenizer_;
  std::unique_ptr<engine::Encoder> encoder_;
  ThreadPool pool_;
};

}  // namespace safeguard::judges
