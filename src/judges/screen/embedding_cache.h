// Embeddings kept on disk, so that a policy is embedded once and not once a process. Best effort: a
// cache that cannot be read or written costs time and nothing else, and a damaged entry is ignored.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "judges/screen/text_embedder.h"

namespace safeguard::judges {

class EmbeddingCache {
 public:
  // `folder` is created when first written to; empty: no cache. `model_hash` keeps models apart,
  // and what computes them where that changes the numbers.
  EmbeddingCache(std::string folder, std::string model_hash);

  // The embeddings of `texts`, if exactly these texts were stored for this model and width.
  [[nodiscard]] std::optional<std::vector<EmbeddedText>> Find(
      std::span<const std::string_view> texts, std::size_t hidden) const;
  void Store(std::span<const std::string_view> texts, std::span<const EmbeddedText> embedded,
             std::size_t hidden) const;

 private:
  [[nodiscard]] std::string PathOf(std::span<const std::string_view> texts,
                                   std::size_t hidden) const;

  std::string folder_;
  std::string model_hash_;
};

}  // namespace safeguard::judges
