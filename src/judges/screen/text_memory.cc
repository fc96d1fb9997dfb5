#include "judges/screen/text_memory.h"

#include <optional>
#include <utility>

#include "base/check.h"

namespace safeguard::judges {
namespace {

constexpr std::size_t kTextsRemembered = 20'000;

std::string KeyOf(std::string_view scope, std::string_view text) {
  std::string key(scope);
  key += '\0';
  key += text;
  return key;
}

}  // namespace

std::vector<std::size_t> TextMemory::Recall(std::string_view scope,
                                            std::span<const std::string_view> texts,
                                            std::span<EmbeddedText> found) {
  const std::scoped_lock lock(mutex_);
  std::vector<std::size_t> missing;
  for (std::size_t t = 0; t < texts.size(); ++t) {
    const auto known = memory_.find(KeyOf(scope, texts[t]));
    if (known == memory_.end()) {
      missing.push_back(t);
    } else {
      found[t] = known->second;
    }
  }
  return missing;
}

void TextMemory::Remember(std::string_view scope, std::span<const std::string_view> texts,
                          std::span<const EmbeddedText> computed) {
  const std::scoped_lock lock(mutex_);
  for (std::size_t t = 0; t < texts.size() && memory_.size() < kTextsRemembered; ++t) {
    memory_.try_emplace(KeyOf(scope, texts[t]), computed[t]);
  }
}

std::vector<EmbeddedText> TextMemory::Get(std::string_view scope,
                                          std::span<const std::string_view> texts,
                                          std::size_t width, const EmbeddingCache& cache,
                                          const Compute& compute) {
  std::vector<EmbeddedText> all(texts.size());
  const std::vector<std::size_t> missing = Recall(scope, texts, all);
  if (missing.empty()) {
    return all;
  }
  if (std::optional<std::vector<EmbeddedText>> found = cache.Find(texts, width)) {
    Remember(scope, texts, *found);
    return std::move(*found);
  }
  std::vector<std::string_view> wanted;
  for (const std::size_t t : missing) {
    wanted.push_back(texts[t]);
  }
  std::vector<EmbeddedText> computed = compute(wanted);
  CHECK(computed.size() == wanted.size());
  Remember(scope, wanted, computed);
  for (std::size_t i = 0; i < missing.size(); ++i) {
    all[missing[i]] = std::move(computed[i]);
  }
  cache.Store(texts, all, width);
  return all;
}

}  // namespace safeguard::judges
