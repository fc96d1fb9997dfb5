// What was computed of texts, kept in memory and on disk. Variants of one policy, made ready one
// after the other, share nearly all of their texts.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "judges/screen/embedding_cache.h"
#include "judges/screen/text_embedder.h"

namespace safeguard::judges {

// Thread-safe.
class TextMemory {
 public:
  using Compute = std::function<std::vector<EmbeddedText>(std::span<const std::string_view> texts)>;

  // One result a text, each of `width` floats a unit: from memory, else (all of them) from `cache`,
  // else computed. `scope` keeps apart what the same text gives in different places.
  std::vector<EmbeddedText> Get(std::string_view scope, std::span<const std::string_view> texts,
                                std::size_t width, const EmbeddingCache& cache,
                                const Compute& compute);

 private:
  // Fills in what is known; returns the places of the others.
  std::vector<std::size_t> Recall(std::string_view scope, std::span<const std::string_view> texts,
                                  std::span<EmbeddedText> found);
  void Remember(std::string_view scope, std::span<const std::string_view> texts,
                std::span<const EmbeddedText> computed);

  std::mutex mutex_;
  std::unordered_map<std::string, EmbeddedText> memory_;  // guarded by mutex_
};

}  // namespace safeguard::judges
