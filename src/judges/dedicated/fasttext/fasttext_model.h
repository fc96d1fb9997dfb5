// fastText (Joulin et al. 2017, "Bag of Tricks for Efficient Text Classification"): a linear
// classifier over words, pairs of words and pieces of words. The only folder that knows the
// library; what it throws ends here.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace safeguard::judges {

struct FastTextExample {
  std::string_view text;  // FeatureText
  bool positive = false;
};

struct FastTextOptions {
  int dimension = 32;
  int word_ngrams = 2;
  int piece_min = 3;  // characters of the pieces of words
  int piece_max = 5;
  double learning_rate = 0.5;
  int epochs = 0;   // 0: by the number of examples, more for few
  int buckets = 0;  // rows for pairs and pieces; 0: by the number of examples
  std::int32_t seed = 1;
};

// Immutable; thread-safe.
class FastTextModel {
 public:
  virtual ~FastTextModel() = default;

  // ln(p / (1 - p)) of a violation, not calibrated. Nothing known in the text gives the model's
  // answer to an empty line.
  [[nodiscard]] virtual double LogOdds(std::string_view feature_text) const = 0;
  // What LoadFastText reads.
  [[nodiscard]] virtual const std::string& bytes() const = 0;
};

// Trains on one thread: the same examples in the same order with the same options give the same
// bytes on one kind of machine. Nothing is written to the disk. Fails with kUnavailable when
// `cancel` becomes true or memory runs out, with kInvalidInput when no words are in the examples.
// REQUIRES: examples of both sides.
Result<std::unique_ptr<FastTextModel>> TrainFastText(std::span<const FastTextExample> examples,
                                                     const FastTextOptions& options,
                                                     const std::atomic<bool>* cancel);

// Checks the bytes first (CheckFastTextFile), so that the library never sees bad ones.
Result<std::unique_ptr<FastTextModel>> LoadFastText(std::string bytes);

}  // namespace safeguard::judges
