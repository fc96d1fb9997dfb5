// The screen that needs no training: content and policy are embedded by one small encoder and
// compared; labelled examples and golden cases, where there are any, bend the comparison to what
// the policy's author means.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "judges/screen/embedding_cache.h"
#include "judges/screen/screen.h"
#include "judges/screen/text_embedder.h"

namespace safeguard::judges {

// How it scores, for every unit (the whole text, each window, each sentence):
//   prior  = kSlope * (nearest violating anchor - kSafeShare * nearest safe anchor - kMargin)
//   logit  = prior when the policy has no labelled cases of both sides, else a regularised logistic
//            layer over [embedding, prior] fitted on them (logistic.h)
// and the text's probability is the largest over its units.
class EmbeddingScreen : public Screen {
 public:
  EmbeddingScreen(std::unique_ptr<TextEmbedder> embedder, EmbeddingCache cache,
                  std::string model_name, std::string model_hash);

  Result<std::shared_ptr<const ScreenPolicy>> Prepare(
      const moderation::Policy& policy, std::span<const moderation::GoldenCase> golden) override;
  std::vector<ScreenScore> Score(std::span<const ScreenPolicy* const> policies,
                                 std::span<const std::string_view> texts) override;
  [[nodiscard]] std::string model_name() const override { return model_name_; }
  [[nodiscard]] std::string model_hash() const override { return model_hash_; }

 private:
  // Embeddings from memory or the cache, else computed and stored. Variants of one policy, made
  // ready one after the other, share nearly all of their texts.
  std::vector<EmbeddedText> EmbedCached(std::span<const std::string_view> texts);

  std::unique_ptr<TextEmbedder> embedder_;
  EmbeddingCache cache_;
  // All of `texts` from memory; nothing when one is missing.
  std::optional<std::vector<EmbeddedText>> Remembered(std::span<const std::string_view> texts);
  void Remember(std::span<const std::string_view> texts, std::span<const EmbeddedText> embedded);

  std::string model_name_;
  std::string model_hash_;
  std::mutex mutex_;
  std::unordered_map<std::string, EmbeddedText> memory_;  // guarded by mutex_
};

}  // namespace safeguard::judges
