#include "judges/dedicated/text_scorer.h"

#include <string>
#include <utility>

#include "judges/dedicated/feature_text.h"
#include "moderation/calibration.h"

namespace safeguard::judges {
namespace {

class WordScorer final : public TextScorer {
 public:
  explicit WordScorer(std::shared_ptr<const FastTextModel> model) : model_(std::move(model)) {}

  std::vector<std::optional<double>> Score(std::span<const std::string_view> texts) override {
    std::vector<std::optional<double>> scores;
    for (const std::string_view text : texts) {
      const std::string features = FeatureText(text);
      scores.push_back(features.empty()
                           ? std::nullopt
                           : std::optional(moderation::FromLogOdds(model_->LogOdds(features))));
    }
    return scores;
  }

 private:
  std::shared_ptr<const FastTextModel> model_;
};

class HeadScorer final : public TextScorer {
 public:
  HeadScorer(EmbeddingHead head, std::shared_ptr<TextEmbedder> embedder)
      : head_(std::move(head)), embedder_(std::move(embedder)) {}

  std::vector<std::optional<double>> Score(std::span<const std::string_view> texts) override {
    std::vector<std::optional<double>> scores;
    for (const EmbeddedText& text : embedder_->Embed(texts)) {
      scores.push_back(text.units.empty()
                           ? std::nullopt
                           : std::optional(moderation::FromLogOdds(head_.LogOdds(
                                 std::span(text.embeddings).first(embedder_->hidden())))));
    }
    return scores;
  }

 private:
  EmbeddingHead head_;
  std::shared_ptr<TextEmbedder> embedder_;
};

}  // namespace

std::unique_ptr<TextScorer> MakeWordScorer(std::shared_ptr<const FastTextModel> model) {
  return std::make_unique<WordScorer>(std::move(model));
}

std::unique_ptr<TextScorer> MakeHeadScorer(EmbeddingHead head,
                                           std::shared_ptr<TextEmbedder> embedder) {
  return std::make_unique<HeadScorer>(std::move(head), std::move(embedder));
}

}  // namespace safeguard::judges
