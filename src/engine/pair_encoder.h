// A policy-conditioned cross-encoder with late interaction (after PreTTR: MacAvaney et al. 2020,
// "Efficient Document Re-Ranking for Transformers by Precomputing Term Representations"): the lower
// layers read content and policy each alone, so that neither is read twice, the upper layers read
// both together, and a linear layer on the content's first token gives one logit.
//
// The embeddings are those of a base encoder (encoder.h), everything behind them a file of its own.
// Token ids in, logits out: it knows no policy, only two sides.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "base/thread_pool.h"
#include "engine/encoder.h"

namespace safeguard::engine {

// The config.json beside the trained weights.
struct PairConfig {
  std::string base;              // name of the base model's folder
  std::string base_sha256;       // of the base's weight file, 64 hexadecimal digits
  std::size_t split_layers = 0;  // layers that read a block alone; fewer than the base has
  // The longest blocks, special tokens included.
  std::size_t policy_tokens_max = 0;
  std::size_t content_tokens_max = 0;
  // Probability = sigmoid(logit_scale * logit + logit_offset); `threshold` is the probability from
  // which on training advises to call it a violation.
  double threshold = 0.5;
  double logit_scale = 1;
  double logit_offset = 0;
};

// A policy's block behind the lower layers. Immutable; valid for the encoder that made it.
class PolicyBlock {
 public:
  virtual ~PolicyBlock() = default;
  [[nodiscard]] virtual std::size_t tokens() const = 0;
};

using TokenIds = std::span<const std::int32_t>;

// Immutable after Load; may be called from several threads at once.
class PairEncoder {
 public:
  // Maps `base_folder`/model*.safetensors (the embeddings) and `folder`/model.safetensors
  // (encoder.layer.*, classifier.*), and reads both config.json. Everything is checked but
  // base_sha256, which the caller may know without reading the file again; errors name the file and
  // the tensor or key.
  static Result<std::unique_ptr<PairEncoder>> Load(const std::string& base_folder,
                                                   const std::string& folder);
  virtual ~PairEncoder() = default;

  // REQUIRES (as of all ids here): special tokens included, 1 <= size <= policy_tokens_max, every
  // id in the vocabulary.
  [[nodiscard]] virtual std::shared_ptr<const PolicyBlock> EncodePolicy(TokenIds ids,
                                                                        ThreadPool& pool) const = 0;

  // logits[c * policies.size() + p] of contents (1 <= size <= content_tokens_max) under policies.
  // `first_states`, where not empty: the last hidden state of the content's first token for each of
  // them, [contents * policies][hidden]. A pair's numbers do not depend on the other pairs or on
  // the number of threads.
  virtual void Score(std::span<const TokenIds> contents,
                     std::span<const PolicyBlock* const> policies, std::span<float> logits,
                     std::span<float> first_states, ThreadPool& pool) const = 0;

  [[nodiscard]] virtual const EncoderConfig& base_config() const = 0;
  [[nodiscard]] virtual const PairConfig& config() const = 0;
  [[nodiscard]] virtual const std::string& arithmetic() const = 0;  // as Encoder's
  // SHA-256 of the trained weights' file, and of the base's. Computed at each call.
  [[nodiscard]] virtual std::string weights_sha256() const = 0;
  [[nodiscard]] virtual std::string base_sha256() const = 0;
};

}  // namespace safeguard::engine
