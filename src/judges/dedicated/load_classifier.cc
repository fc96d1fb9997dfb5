#include "judges/dedicated/load_classifier.h"

#include <utility>

namespace safeguard::judges {
namespace {

std::unexpected<Error> Named(Error error, const std::string& name) {
  error.message = name + " cannot be used: " + error.message;
  return std::unexpected(std::move(error));
}

}  // namespace

Result<LoadedClassifier> LoadClassifier(
    std::string_view bytes, const std::string& name,
    const std::function<Result<std::shared_ptr<TextEmbedder>>()>& open_embedder) {
  Result<ClassifierFile> file = ReadClassifier(bytes, name);
  if (!file) {
    return std::unexpected(file.error());
  }
  LoadedClassifier loaded{std::move(file->card), nullptr};
  if (loaded.card.kind == ClassifierKind::kWords) {
    Result<std::unique_ptr<FastTextModel>> model = LoadFastText(std::string(file->weights));
    if (!model) {
      return Named(model.error(), name);
    }
    loaded.scorer = MakeWordScorer(std::move(*model));
    return loaded;
  }
  Result<EmbeddingHead> head = ReadHead(file->weights, loaded.card.width);
  if (!head) {
    return Named(head.error(), name);
  }
  Result<std::shared_ptr<TextEmbedder>> embedder = open_embedder();
  if (!embedder) {
    return Named(embedder.error(), name);
  }
  const engine::Encoder& encoder = (*embedder)->encoder();
  if (encoder.weights_sha256() != loaded.card.encoder_hash ||
      (*embedder)->hidden() != loaded.card.width) {
    return Fail(ErrorCode::kInvalidInput,
                name + " was trained on another encoder than the one in use",
                "train it again, or name the folder of its encoder with --model");
  }
  loaded.scorer = MakeHeadScorer(std::move(*head), std::move(*embedder));
  return loaded;
}

}  // namespace safeguard::judges
