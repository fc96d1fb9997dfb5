#include "judges/screen/text_embedder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "judges/screen/open_word_piece.h"
#include "judges/screen/sentence_spans.h"

namespace safeguard::judges {
namespace {

// all-MiniLM-L6-v2 was trained on sequences of up to 256 tokens; two are special.
constexpr std::size_t kWindowTokensMax = 254;
constexpr std::size_t kBatchTokens = 1 << 14;  // bounds the memory of hidden states
// What can be stopped comes in smaller steps: some tens of milliseconds, in which others wait for
// the threads.
constexpr std::size_t kTokensBetweenLooks = 1 << 11;

// One encoder input: tokens [begin, end) of text `text`, and the sentences in it.
struct Window {
  std::size_t text;
  std::size_t begin;
  std::size_t end;
  std::vector<TokenSpan> sentences;
};

// Sentences packed into windows in order; a sentence longer than a window is cut.
void AppendWindows(std::size_t text, std::span<const TokenSpan> sentences,
                   std::vector<Window>& windows) {
  bool open = false;
  for (const TokenSpan& sentence : sentences) {
    for (std::size_t begin = sentence.begin; begin < sentence.end;) {
      const std::size_t end = std::min(sentence.end, begin + kWindowTokensMax);
      if (!open || end - windows.back().begin > kWindowTokensMax) {
        windows.push_back({text, begin, begin, {}});
        open = true;
      }
      windows.back().end = end;
      windows.back().sentences.push_back({begin, end});
      begin = end;
    }
  }
}

void Normalise(std::span<float> vector) {
  double squares = 0;
  for (const float x : vector) {
    squares += double{x} * double{x};
  }
  const auto scale = static_cast<float>(1.0 / std::sqrt(std::max(squares, 1e-24)));
  for (float& x : vector) {
    x *= scale;
  }
}

void AppendUnit(EmbeddedText& text, std::span<const engine::WordPieceToken> tokens,
                const TokenSpan& span, std::span<const float> embedding) {
  text.units.push_back({tokens[span.begin].begin, tokens[span.end - 1].end});
  text.embeddings.insert(text.embeddings.end(), embedding.begin(), embedding.end());
}

// Builds a text's units from the pooled embeddings of its windows (each: the window, its
// sentences).
void Assemble(std::span<const Window> windows, std::span<const engine::WordPieceToken> tokens,
              std::span<const float> pooled, std::size_t hidden, EmbeddedText& out) {
  std::vector<float> whole(hidden, 0.0F);
  std::size_t offset = 0;
  for (const Window& window : windows) {
    const auto weight = static_cast<float>(window.end - window.begin);
    for (std::size_t i = 0; i < hidden; ++i) {
      whole[i] += weight * pooled[offset + i];
    }
    offset += (1 + window.sentences.size()) * hidden;
  }
  Normalise(whole);
  AppendUnit(out, tokens, {0, tokens.size()}, whole);
  const bool one_sentence = windows.size() == 1 && windows[0].sentences.size() == 1;
  offset = 0;
  for (const Window& window : windows) {
    if (windows.size() > 1) {
      AppendUnit(out, tokens, {window.begin, window.end}, pooled.subspan(offset, hidden));
    }
    offset += hidden;
    for (const TokenSpan& sentence : window.sentences) {
      if (!one_sentence) {
        AppendUnit(out, tokens, sentence, pooled.subspan(offset, hidden));
      }
      offset += hidden;
    }
  }
}

// What the encoder is asked for one window: special tokens around its own.
struct WindowInput {
  std::vector<std::int32_t> ids;
  std::vector<engine::PoolRange> pools;
};

WindowInput InputOf(const Window& window, std::span<const engine::WordPieceToken> tokens,
                    const engine::WordPiece& tokenizer) {
  WindowInput input;
  input.ids.reserve(window.end - window.begin + 2);
  input.ids.push_back(tokenizer.cls());
  for (std::size_t i = window.begin; i < window.end; ++i) {
    input.ids.push_back(tokens[i].id);
  }
  input.ids.push_back(tokenizer.sep());
  input.pools.push_back({0, static_cast<std::uint32_t>(input.ids.size())});
  for (const TokenSpan& sentence : window.sentences) {
    input.pools.push_back({static_cast<std::uint32_t>(sentence.begin - window.begin + 1),
                           static_cast<std::uint32_t>(sentence.end - window.begin + 1)});
  }
  return input;
}

}  // namespace

Result<std::unique_ptr<TextEmbedder>> TextEmbedder::Open(const std::string& folder,
                                                         std::size_t threads,
                                                         const std::string& tuned_folder) {
  CHECK(threads >= 1);
  Result<std::unique_ptr<engine::WordPiece>> tokenizer = OpenWordPiece(folder);
  if (!tokenizer) {
    return std::unexpected(tokenizer.error());
  }
  Result<std::unique_ptr<engine::Encoder>> encoder =
      tuned_folder.empty() ? engine::Encoder::Load(folder)
                           : engine::Encoder::LoadTuned(folder, tuned_folder);
  if (!encoder) {
    return std::unexpected(encoder.error());
  }
  if ((*tokenizer)->vocabulary_size() > (*encoder)->config().vocabulary ||
      (*encoder)->config().positions_max < kWindowTokensMax + 2) {
    return Fail(ErrorCode::kCorruptFile,
                folder + ": tokenizer.json and the weights do not belong together",
                "fetch the model again");
  }
  return std::unique_ptr<TextEmbedder>(
      new TextEmbedder(std::move(*tokenizer), std::move(*encoder), threads));
}

TextEmbedder::TextEmbedder(std::unique_ptr<engine::WordPiece> tokenizer,
                           std::unique_ptr<engine::Encoder> encoder, std::size_t threads)
    : tokenizer_(std::move(tokenizer)), encoder_(std::move(encoder)), pool_(threads) {}

std::vector<EmbeddedText> TextEmbedder::Embed(std::span<const std::string_view> texts,
                                              const moderation::StopSignal& stop) {
  std::vector<std::vector<engine::WordPieceToken>> tokens(texts.size());
  std::vector<std::vector<TokenSpan>> sentences(texts.size());
  pool_.ParallelFor(texts.size(), [&](std::size_t t, std::size_t) {
    tokens[t] = tokenizer_->Encode(texts[t]);
    if (!tokens[t].empty()) {
      sentences[t] = SentenceSpans(texts[t], tokens[t]);
    }
  });
  std::vector<Window> windows;
  for (std::size_t t = 0; t < texts.size(); ++t) {
    AppendWindows(t, sentences[t], windows);
  }

  const std::size_t tokens_max = stop ? kTokensBetweenLooks : kBatchTokens;
  std::vector<float> pooled;
  for (std::size_t first = 0; first < windows.size();) {
    if (stop && stop()) {
      return {};
    }
    std::vector<WindowInput> inputs;
    std::size_t batch_tokens = 0;
    std::size_t pools = 0;
    std::size_t last = first;
    for (; last < windows.size() && (last == first || batch_tokens < tokens_max); ++last) {
      inputs.push_back(InputOf(windows[last], tokens[windows[last].text], *tokenizer_));
      batch_tokens += inputs.back().ids.size();
      pools += inputs.back().pools.size();
    }
    std::vector<engine::EncoderInput> views;
    views.reserve(inputs.size());
    for (const WindowInput& input : inputs) {
      views.push_back({input.ids, input.pools});
    }
    const std::size_t before = pooled.size();
    pooled.resize(before + pools * hidden());
    encoder_->Embed(views, std::span(pooled).subspan(before), pool_);
    first = last;
  }

  std::vector<EmbeddedText> embedded(texts.size());
  std::size_t offset = 0;
  for (std::size_t w = 0; w < windows.size();) {
    std::size_t next = w;
    std::size_t pools = 0;
    while (next < windows.size() && windows[next].text == windows[w].text) {
      pools += 1 + windows[next].sentences.size();
      ++next;
    }
    Assemble(std::span(windows).subspan(w, next - w), tokens[windows[w].text],
             std::span(pooled).subspan(offset, pools * hidden()), hidden(),
             embedded[windows[w].text]);
    offset += pools * hidden();
    w = next;
  }
  return embedded;
}

}  // namespace safeguard::judges
