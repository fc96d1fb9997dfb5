// What both kinds of classifier are to the judge: texts in, log-odds of a violation out.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "judges/dedicated/embedding_head.h"
#include "judges/dedicated/fasttext/fasttext_model.h"
#include "judges/screen/text_embedder.h"

namespace safeguard::judges {

// Thread-safe.
class TextScorer {
 public:
  virtual ~TextScorer() = default;
  // Raw scores 0..1, one a text; nothing where a text holds nothing to read.
  virtual std::vector<std::optional<double>> Score(std::span<const std::string_view> texts) = 0;
};

std::unique_ptr<TextScorer> MakeWordScorer(std::shared_ptr<const FastTextModel> model);
std::unique_ptr<TextScorer> MakeHeadScorer(EmbeddingHead head,
                                           std::shared_ptr<TextEmbedder> embedder);

}  // namespace safeguard::judges
