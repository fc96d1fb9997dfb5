// Trains dedicated classifiers. The same reading of content as in judging: all canonical views are
// scored, the highest counts; what is learned is each content as it is.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "judges/classifier_card.h"
#include "moderation/content.h"

namespace safeguard::judges {

struct TrainingSet {
  std::span<const moderation::Content> contents;  // must outlive the trainer
  std::vector<bool> positive;                     // a violation; of contents[i]
};

struct TrainerOptions {
  std::string model_folder;  // of a head: holds the encoder
  std::size_t threads = 1;   // of the encoder; all else runs on one
  std::uint64_t seed = 1;
  const std::atomic<bool>* cancel = nullptr;
  // Contents read so far, while the trainer opens.
  std::function<void(std::size_t done, std::size_t total)> progress;
};

// Used by one thread.
class ClassifierTrainer {
 public:
  virtual ~ClassifierTrainer() = default;

  // Learns from the contents `train` and scores the contents `score`: raw, 0..1, one each, nothing
  // where there is nothing to read. Deterministic. Fails when it was cancelled, or when nothing can
  // be learned. REQUIRES: both sides among `train`; indices into the set.
  virtual Result<std::vector<std::optional<double>>> LearnAndScore(
      std::span<const std::size_t> train, std::span<const std::size_t> score) = 0;

  // What was learned last, for WriteClassifier; and what the card says of kind and encoder.
  [[nodiscard]] virtual std::string Weights() const = 0;
  virtual void Describe(ClassifierCard& card) const = 0;
};

// Reads all contents. Fails when the encoder is missing or damaged, or when it was cancelled.
Result<std::unique_ptr<ClassifierTrainer>> OpenTrainer(ClassifierKind kind, TrainingSet set,
                                                       const TrainerOptions& options);

}  // namespace safeguard::judges
