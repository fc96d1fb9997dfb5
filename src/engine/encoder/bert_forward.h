// The forward pass of BERT (Devlin et al. 2018; post-layer-norm, exact GELU, absolute positions,
// token type 0) over a ragged batch: sequences stand one after the other without padding, so there
// is no mask and no wasted row.
#pragma once

#include <span>

#include "base/thread_pool.h"
#include "engine/encoder.h"
#include "engine/encoder/bert_weights.h"
#include "engine/encoder/kernels/kernel_table.h"

namespace safeguard::engine {

class BertForward {
 public:
  // All three must outlive this object, which is immutable.
  BertForward(const EncoderConfig& config, const BertWeights& weights, const KernelTable& kernels)
      : config_(config), weights_(weights), kernels_(kernels) {}

  // As Encoder::Embed.
  void Embed(std::span<const EncoderInput> inputs, std::span<float> out, ThreadPool& pool) const;

  // The hidden states of one sequence behind `layers` layers (0: the embeddings), row-major.
  // For tests. REQUIRES: layers <= config.layers.
  void HiddenStates(std::span<const std::int32_t> ids, std::size_t layers, std::span<float> out,
                    ThreadPool& pool) const;

 private:
  struct Batch;
  struct Scratch;

  [[nodiscard]] Scratch NewScratch(std::size_t block_rows, std::size_t tokens_max) const;
  // Every layer on the calling thread.
  void RunAlone(const Batch& batch, std::size_t layers, Scratch& scratch) const;
  // Every layer, with rows and heads spread over the threads.
  void RunTogether(const Batch& batch, std::size_t layers, ThreadPool& pool) const;
  void EmbedTokens(const Batch& batch, std::size_t begin, std::size_t end) const;
  void QueryKeyValue(const Batch& batch, std::size_t layer, std::size_t begin, std::size_t end,
                     Scratch& scratch) const;
  void Attend(const Batch& batch, std::size_t task, Scratch& scratch) const;
  void FinishLayer(const Batch& batch, std::size_t layer, std::size_t begin, std::size_t end,
                   Scratch& scratch) const;
  void Multiply(const LinearLayer& layer, const std::byte* prepared, std::size_t rows, float* out,
                std::size_t out_stride) const;
  // A pool whose sum is zero or not finite (possible only with damaged binary32 weights) gives
  // zeros.
  void Pool(const Batch& batch, std::span<float> out) const;

  const EncoderConfig& config_;
  const BertWeights& weights_;
  const KernelTable& kernels_;
};

}  // namespace safeguard::engine
