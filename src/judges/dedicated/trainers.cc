#include <algorithm>
#include <utility>

#include "base/check.h"
#include "judges/classifier_training.h"
#include "judges/dedicated/embedding_head.h"
#include "judges/dedicated/fasttext/fasttext_model.h"
#include "judges/dedicated/feature_text.h"
#include "judges/dedicated/training_texts.h"
#include "judges/screen/text_embedder.h"
#include "moderation/calibration.h"

namespace safeguard::judges {
namespace {

constexpr std::size_t kTextsAtOnce = 256;
// A classifier may call content in other scripts safe when it has seen that many of both sides.
constexpr std::size_t kOtherScriptsMin = 20;

bool Stopped(const TrainerOptions& options) {
  return options.cancel != nullptr && options.cancel->load();
}

std::unexpected<Error> Interrupted() {
  return Fail(ErrorCode::kUnavailable, "interrupted: nothing was saved");
}

bool KnowsOtherScripts(const TrainingTexts& texts, const std::vector<bool>& positive,
                       std::span<const std::size_t> train) {
  std::size_t seen[2] = {};
  for (const std::size_t c : train) {
    seen[positive[c] ? 1 : 0] += texts.other_script[c] ? 1U : 0U;
  }
  return std::min(seen[0], seen[1]) >= kOtherScriptsMin;
}

class WordTrainer final : public ClassifierTrainer {
 public:
  WordTrainer(TrainingSet set, const TrainerOptions& options)
      : set_(std::move(set)), options_(options), texts_(ReadTrainingTexts(set_.contents)) {
    for (std::string& text : texts_.texts) {
      text = FeatureText(text);
    }
  }

  Result<std::vector<std::optional<double>>> LearnAndScore(
      std::span<const std::size_t> train, std::span<const std::size_t> score) override {
    std::vector<FastTextExample> examples;
    for (const std::size_t c : train) {
      if (texts_.whole[c] < texts_.first[c + 1] && !texts_.texts[texts_.whole[c]].empty()) {
        examples.push_back({texts_.texts[texts_.whole[c]], set_.positive[c]});
      }
    }
    FastTextOptions options;
    options.seed = static_cast<std::int32_t>(options_.seed & 0x7FFFFFFFU);
    Result<std::unique_ptr<FastTextModel>> model =
        TrainFastText(examples, options, options_.cancel);
    if (!model) {
      return std::unexpected(model.error());
    }
    model_ = std::move(*model);
    other_scripts_ = KnowsOtherScripts(texts_, set_.positive, train);
    std::vector<std::optional<double>> scores(texts_.texts.size());
    for (const std::size_t c : score) {
      for (std::size_t t = texts_.first[c]; t < texts_.first[c + 1]; ++t) {
        if (!texts_.texts[t].empty()) {
          scores[t] = moderation::FromLogOdds(model_->LogOdds(texts_.texts[t]));
        }
      }
    }
    return HighestScores(texts_, score, scores);
  }

  [[nodiscard]] std::string Weights() const override {
    CHECK(model_ != nullptr);
    return model_->bytes();
  }

  void Describe(ClassifierCard& card) const override {
    card.kind = ClassifierKind::kWords;
    card.other_scripts = other_scripts_;
  }

 private:
  TrainingSet set_;
  TrainerOptions options_;
  TrainingTexts texts_;
  std::unique_ptr<FastTextModel> model_;
  bool other_scripts_ = false;
};

class HeadTrainer final : public ClassifierTrainer {
 public:
  static Result<std::unique_ptr<ClassifierTrainer>> Open(TrainingSet set,
                                                         const TrainerOptions& options) {
    Result<std::unique_ptr<TextEmbedder>> embedder =
        TextEmbedder::Open(options.model_folder, options.threads);
    if (!embedder) {
      return std::unexpected(embedder.error());
    }
    std::unique_ptr<HeadTrainer> trainer(new HeadTrainer(std::move(set), std::move(*embedder)));
    if (const Status read = trainer->EmbedAll(options); !read) {
      return std::unexpected(read.error());
    }
    return trainer;
  }

  Result<std::vector<std::optional<double>>> LearnAndScore(
      std::span<const std::size_t> train, std::span<const std::size_t> score) override {
    std::vector<HeadExample> examples;
    bool side[2] = {};
    for (const std::size_t c : train) {
      if (texts_.whole[c] < texts_.first[c + 1] && read_[texts_.whole[c]]) {
        examples.push_back({EmbeddingOf(texts_.whole[c]), set_.positive[c]});
        side[set_.positive[c] ? 1 : 0] = true;
      }
    }
    if (!side[0] || !side[1]) {
      return Fail(ErrorCode::kInvalidInput,
                  "the encoder can read no text of one of the two sides: nothing to learn from",
                  "train with --kind words");
    }
    head_ = TrainHead(examples);
    other_scripts_ = false;  // the encoder was trained on English
    std::vector<std::optional<double>> scores(texts_.texts.size());
    for (const std::size_t c : score) {
      for (std::size_t t = texts_.first[c]; t < texts_.first[c + 1]; ++t) {
        if (read_[t]) {
          scores[t] = moderation::FromLogOdds(head_.LogOdds(EmbeddingOf(t)));
        }
      }
    }
    return HighestScores(texts_, score, scores);
  }

  [[nodiscard]] std::string Weights() const override { return WriteHead(head_); }

  void Describe(ClassifierCard& card) const override {
    card.kind = ClassifierKind::kHead;
    card.other_scripts = other_scripts_;
    card.encoder_hash = embedder_->encoder().weights_sha256();
    card.encoder_arithmetic = embedder_->encoder().arithmetic();
    card.width = embedder_->hidden();
  }

 private:
  HeadTrainer(TrainingSet set, std::unique_ptr<TextEmbedder> embedder)
      : set_(std::move(set)),
        embedder_(std::move(embedder)),
        texts_(ReadTrainingTexts(set_.contents)) {}

  [[nodiscard]] std::span<const float> EmbeddingOf(std::size_t text) const {
    const std::size_t width = embedder_->hidden();
    return std::span(embeddings_).subspan(text * width, width);
  }

  Status EmbedAll(const TrainerOptions& options) {
    const std::size_t width = embedder_->hidden();
    embeddings_.resize(texts_.texts.size() * width);
    read_.resize(texts_.texts.size());
    for (std::size_t first = 0; first < texts_.texts.size(); first += kTextsAtOnce) {
      if (Stopped(options)) {
        return Interrupted();
      }
      const std::size_t count = std::min(kTextsAtOnce, texts_.texts.size() - first);
      const std::vector<std::string_view> some(
          texts_.texts.begin() + static_cast<std::ptrdiff_t>(first),
          texts_.texts.begin() + static_cast<std::ptrdiff_t>(first + count));
      const std::vector<EmbeddedText> embedded = embedder_->Embed(some);
      for (std::size_t i = 0; i < count; ++i) {
        read_[first + i] = !embedded[i].units.empty();
        if (read_[first + i]) {
          std::copy_n(embedded[i].embeddings.begin(), width,
                      embeddings_.begin() + static_cast<std::ptrdiff_t>((first + i) * width));
        }
      }
      if (options.progress) {
        options.progress(first + count, texts_.texts.size());
      }
    }
    return {};
  }

  TrainingSet set_;
  std::unique_ptr<TextEmbedder> embedder_;
  TrainingTexts texts_;
  std::vector<float> embeddings_;  // [texts][width]
  std::vector<bool> read_;         // whether text t holds a token
  EmbeddingHead head_;
  bool other_scripts_ = false;
};

}  // namespace

Result<std::unique_ptr<ClassifierTrainer>> OpenTrainer(ClassifierKind kind, TrainingSet set,
                                                       const TrainerOptions& options) {
  CHECK(set.contents.size() == set.positive.size() && options.threads >= 1);
  if (kind == ClassifierKind::kHead) {
    return HeadTrainer::Open(std::move(set), options);
  }
  return std::make_unique<WordTrainer>(std::move(set), options);
}

}  // namespace safeguard::judges
