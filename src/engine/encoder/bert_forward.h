// From token ids to pooled embeddings: all layers of BERT (bert_layers.h), with token type 0.
#pragma once

#include <span>

#include "base/thread_pool.h"
#include "engine/encoder.h"
#include "engine/encoder/bert_layers.h"
#include "engine/encoder/bert_weights.h"
#include "engine/encoder/kernels/kernel_table.h"

namespace safeguard::engine {

class BertForward {
 public:
  // All three must outlive this object, which is immutable.
  BertForward(const EncoderConfig& config, const BertWeights& weights, const KernelTable& kernels)
      : layers_(config, weights, kernels) {}

  // As Encoder::Embed.
  void Embed(std::span<const EncoderInput> inputs, std::span<float> out, ThreadPool& pool) const;

  // The hidden states of one sequence behind `layers` layers (0: the embeddings), row-major.
  // For tests. REQUIRES: layers <= config.layers.
  void HiddenStates(std::span<const std::int32_t> ids, std::size_t layers, std::span<float> out,
                    ThreadPool& pool) const;

 private:
  // Takes `inputs` through the first `layers` layers. Returns where each stands in `rows`.
  std::vector<SequenceRows> Run(std::span<const EncoderInput> inputs, std::size_t layers,
                                LayerRows& rows, const Crew& crew,
                                std::span<LayerScratch> scratch) const;
  // A pool whose sum is zero or not finite (possible only with damaged binary32 weights) gives
  // zeros.
  void Pool(std::span<const EncoderInput> inputs, std::span<const SequenceRows> sequences,
            const float* hidden, std::span<float> out) const;

  BertLayers layers_;
};

}  // namespace safeguard::engine
