// A model of pairs for tests, over a dozen words: it calls content a violation when one of the
// words "bad", "worse", "worst" or "odd" stands in it and in the policy's block.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/pair_encoder.h"
#include "engine/word_piece.h"

namespace safeguard::judges {

inline constexpr const char* kFakeTokenizer = R"({
  "added_tokens": [{"id": 1, "content": "[CLS]", "special": true},
                   {"id": 2, "content": "[SEP]", "special": true}],
  "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                 "strip_accents": null, "lowercase": true},
  "pre_tokenizer": {"type": "BertPreTokenizer"},
  "post_processor": {"type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A"}},
               {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
    "special_tokens": {"[CLS]": {"ids": [1]}, "[SEP]": {"ids": [2]}}},
  "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": {"[UNK]": 0, ".": 3, "bad": 4, "worse": 5, "worst": 6, "odd": 7, "the": 8,
                      "day": 9, "was": 10, "long": 11, "strange": 12}}
})";

class FakeBlock : public engine::PolicyBlock {
 public:
  explicit FakeBlock(engine::TokenIds ids) : ids_(ids.begin(), ids.end()) {}
  [[nodiscard]] std::size_t tokens() const override { return ids_.size(); }
  [[nodiscard]] const std::vector<std::int32_t>& ids() const { return ids_; }

 private:
  std::vector<std::int32_t> ids_;
};

class FakePairEncoder : public engine::PairEncoder {
 public:
  static constexpr std::size_t kHidden = 4;

  FakePairEncoder() {
    base_.vocabulary = 13;
    base_.hidden = kHidden;
    config_.base = "fake";
    config_.policy_tokens_max = 128;
    config_.content_tokens_max = 60;
  }

  [[nodiscard]] std::shared_ptr<const engine::PolicyBlock> EncodePolicy(
      engine::TokenIds ids, ThreadPool& /*pool*/) const override {
    ++policies_encoded;
    return std::make_shared<FakeBlock>(ids);
  }

  // States: whether "strange" is there, whether something bad is, one, length.
  void Score(std::span<const engine::TokenIds> contents,
             std::span<const engine::PolicyBlock* const> policies, std::span<float> logits,
             std::span<float> first_states, ThreadPool& /*pool*/) const override {
    pairs_scored += contents.size() * policies.size();
    std::size_t pair = 0;
    for (const engine::TokenIds content : contents) {
      longest = std::max<std::size_t>(longest, content.size());
      for (const engine::PolicyBlock* policy : policies) {
        const auto& ids = dynamic_cast<const FakeBlock*>(policy)->ids();
        const auto shared = std::ranges::count_if(content, [&](std::int32_t id) {
          return id >= 4 && id <= 7 && std::ranges::find(ids, id) != ids.end();
        });
        logits[pair] = shared > 0 ? 2.0F + 0.1F * static_cast<float>(shared) : -2.0F;
        if (!first_states.empty()) {
          const bool strange = std::ranges::find(content, 12) != content.end();
          first_states[pair * kHidden] = strange ? 1.0F : 0.0F;
          first_states[pair * kHidden + 1] = shared > 0 ? 1.0F : 0.0F;
          first_states[pair * kHidden + 2] = 1.0F;
          first_states[pair * kHidden + 3] = 0.0F;
        }
        ++pair;
      }
    }
  }

  [[nodiscard]] const engine::EncoderConfig& base_config() const override { return base_; }
  [[nodiscard]] const engine::PairConfig& config() const override { return config_; }
  [[nodiscard]] const std::string& arithmetic() const override { return arithmetic_; }
  [[nodiscard]] std::string weights_sha256() const override { return "f"; }
  [[nodiscard]] std::string base_sha256() const override { return "b"; }

  mutable std::atomic<std::size_t> policies_encoded = 0;
  mutable std::atomic<std::size_t> pairs_scored = 0;
  mutable std::atomic<std::size_t> longest = 0;
  engine::PairConfig config_;

 private:
  engine::EncoderConfig base_;
  std::string arithmetic_ = "fake";
};

}  // namespace safeguard::judges
