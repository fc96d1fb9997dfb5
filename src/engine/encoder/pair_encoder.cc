#include "engine/encoder/pair_encoder.h"

#include <utility>
#include <vector>

#include "base/check.h"
#include "base/hash.h"
#include "engine/encoder/bert_config.h"
#include "engine/encoder/bert_encoder.h"
#include "engine/encoder/bert_weights.h"
#include "engine/encoder/pair_config.h"
#include "engine/encoder/pair_forward.h"

namespace safeguard::engine {
namespace {

class BertPolicyBlock : public PolicyBlock {
 public:
  BertPolicyBlock(EncodedBlock block, const PairForward* owner)
      : block_(std::move(block)), owner_(owner) {}
  [[nodiscard]] std::size_t tokens() const override { return block_.tokens; }
  [[nodiscard]] const EncodedBlock& block() const { return block_; }
  [[nodiscard]] const PairForward* owner() const { return owner_; }

 private:
  EncodedBlock block_;
  const PairForward* owner_;
};

class BertPairEncoder : public PairEncoder {
 public:
  BertPairEncoder(const EncoderConfig& base, PairConfig config, PairWeights weights,
                  const KernelTable& kernels)
      : base_(base),
        config_(std::move(config)),
        weights_(std::move(weights)),
        forward_(base_, config_, weights_, kernels),
        arithmetic_(ArithmeticOf(kernels)) {}

  [[nodiscard]] std::shared_ptr<const PolicyBlock> EncodePolicy(TokenIds ids,
                                                                ThreadPool& pool) const override {
    CheckIds(ids, config_.policy_tokens_max);
    return std::make_shared<BertPolicyBlock>(forward_.EncodePolicy(ids, pool), &forward_);
  }

  void Score(std::span<const TokenIds> contents, std::span<const PolicyBlock* const> policies,
             std::span<float> logits, std::span<float> first_states,
             ThreadPool& pool) const override {
    for (const TokenIds ids : contents) {
      CheckIds(ids, config_.content_tokens_max);
    }
    std::vector<const EncodedBlock*> blocks;
    for (const PolicyBlock* policy : policies) {
      const auto* ours = dynamic_cast<const BertPolicyBlock*>(policy);
      CHECK(ours != nullptr && ours->owner() == &forward_);
      blocks.push_back(&ours->block());
    }
    forward_.Score(contents, blocks, logits, first_states, pool);
  }

  [[nodiscard]] const EncoderConfig& base_config() const override { return base_; }
  [[nodiscard]] const PairConfig& config() const override { return config_; }
  [[nodiscard]] const std::string& arithmetic() const override { return arithmetic_; }
  [[nodiscard]] std::string weights_sha256() const override {
    return Sha256Hex(weights_.file->bytes());
  }
  [[nodiscard]] std::string base_sha256() const override {
    return Sha256Hex(weights_.bert.file->bytes());
  }

 private:
  void CheckIds(TokenIds ids, std::size_t tokens_max) const {
    CHECK(!ids.empty() && ids.size() <= tokens_max);
    for (const std::int32_t id : ids) {
      CHECK(id >= 0 && static_cast<std::size_t>(id) < base_.vocabulary);
    }
  }

  const EncoderConfig base_;
  const PairConfig config_;
  const PairWeights weights_;
  const PairForward forward_;
  const std::string arithmetic_;
};

}  // namespace

Result<std::unique_ptr<PairEncoder>> LoadPairEncoder(const std::string& base_folder,
                                                     const std::string& folder,
                                                     const KernelTable& kernels) {
  const Result<EncoderConfig> base = ReadBertConfig(base_folder + "/config.json");
  if (!base) {
    return std::unexpected(base.error());
  }
  const Result<std::string> path = FindWeightFile(base_folder);
  if (!path) {
    return std::unexpected(path.error());
  }
  Result<PairConfig> config = ReadPairConfig(folder + "/config.json", *base);
  if (!config) {
    return std::unexpected(std::move(config.error()));
  }
  Result<PairWeights> weights =
      LoadPairWeights(*path, folder + "/model.safetensors", *base, kernels);
  if (!weights) {
    return std::unexpected(std::move(weights.error()));
  }
  return std::make_unique<BertPairEncoder>(*base, std::move(*config), std::move(*weights), kernels);
}

Result<std::unique_ptr<PairEncoder>> PairEncoder::Load(const std::string& base_folder,
                                                       const std::string& folder) {
  return LoadPairEncoder(base_folder, folder, BestKernels());
}

}  // namespace safeguard::engine
