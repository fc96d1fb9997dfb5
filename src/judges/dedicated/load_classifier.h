// From the bytes of a classifier file to something that scores texts.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "judges/classifier_card.h"
#include "judges/dedicated/text_scorer.h"

namespace safeguard::judges {

struct LoadedClassifier {
  ClassifierCard card;
  std::unique_ptr<TextScorer> scorer;
};

// `open_embedder` is called for a head alone. Fails as ReadClassifier does, and when the weights
// are not what the card says or the head was trained on another encoder.
Result<LoadedClassifier> LoadClassifier(
    std::string_view bytes, const std::string& name,
    const std::function<Result<std::shared_ptr<TextEmbedder>>()>& open_embedder);

}  // namespace safeguard::judges
