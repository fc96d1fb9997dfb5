// The screen that needs no training: content and policy are embedded by one small encoder and
// compared; labelled examples and golden cases, where there are any, bend the comparison to what
// the policy's author means.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "judges/screen/embedding_cache.h"
#include "judges/screen/embedding_policy.h"
#include "judges/screen/screen.h"
#include "judges/screen/text_embedder.h"
#include "judges/screen/text_memory.h"

namespace safeguard::judges {

// How it scores, for every unit (the whole text, each window, each sentence):
//   prior  as of EmbeddingScoring
//   logit  = prior when the policy has no labelled cases of both sides, else a regularised logistic
//            layer over [embedding, prior] fitted on them (logistic.h)
// and the text's probability is the largest over its units.
class EmbeddingScreen : public Screen {
 public:
  EmbeddingScreen(std::unique_ptr<TextEmbedder> embedder, EmbeddingCache cache,
                  std::string model_name, std::string model_hash,
                  const EmbeddingScoring& scoring = {});

  Result<std::shared_ptr<const ScreenPolicy>> Prepare(
      const moderation::Policy& policy, std::span<const moderation::GoldenCase> golden) override;
  std::vector<ScreenScore> Score(std::span<const ScreenPolicy* const> policies,
                                 std::span<const std::string_view> texts,
                                 const moderation::StopSignal& stop) override;
  [[nodiscard]] std::string model_name() const override { return model_name_; }
  [[nodiscard]] std::string model_hash() const override { return model_hash_; }
  [[nodiscard]] ThreadPool& pool() override { return embedder_->pool(); }
  [[nodiscard]] std::string method() const override { return "by similarity of meaning"; }

 private:
  std::unique_ptr<TextEmbedder> embedder_;
  EmbeddingCache cache_;
  std::string model_name_;
  std::string model_hash_;
  EmbeddingScoring scoring_;
  TextMemory memory_;
};

}  // namespace safeguard::judges
