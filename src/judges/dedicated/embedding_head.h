// A regularised logistic regression on the encoder's embedding of a text: the head of the second
// kind of dedicated classifier.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace safeguard::judges {

struct EmbeddingHead {
  std::vector<float> weights;  // [width of the encoder]
  double bias = 0;

  [[nodiscard]] double LogOdds(std::span<const float> embedding) const;
};

struct HeadExample {
  std::span<const float> embedding;
  bool positive = false;
};

// The penalty is chosen among 1, 0.1 and 0.01 by the log-loss on every fifth example of at most
// 4,000, after training on the others; then the head is fitted on all. Deterministic.
// REQUIRES: examples of both sides, embeddings of equal width.
EmbeddingHead TrainHead(std::span<const HeadExample> examples);

inline constexpr std::size_t kHeadWidthMax = 8192;

// Little-endian: bias (8 bytes), then the weights (4 each).
std::string WriteHead(const EmbeddingHead& head);
// kCorruptFile for another length than of `width` weights, or what is no number.
Result<EmbeddingHead> ReadHead(std::string_view bytes, std::size_t width);

}  // namespace safeguard::judges
