// One pass of new tokens through the network. forward_pass.cc is the model on a page.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "engine/cpu/aligned_floats.h"
#include "engine/cpu/attention_runner.h"
#include "engine/cpu/kernels/kernel_table.h"
#include "engine/cpu/kv_pages.h"
#include "engine/cpu/linear_runner.h"
#include "engine/cpu/rope.h"
#include "engine/model/gpt_oss_config.h"
#include "engine/model/weights.h"

namespace safeguard::engine::cpu {

// A row whose logits are wanted.
struct WantedRow {
  std::size_t row = 0;
  std::span<const std::uint32_t> ids;  // rising; empty: the whole vocabulary
  float* logits = nullptr;
};

struct Batch {
  std::vector<std::uint32_t> tokens;  // by row, each below the vocabulary
  std::vector<Segment> segments;
  std::vector<WantedRow> wanted;  // rows rising
};

// The residual stream after block `layer`, `hidden` floats a row of the batch.
using ResidualObserver =
    std::function<void(std::size_t layer, const Batch& batch, std::span<const float> residual)>;

// Used by one thread at a time. What it is given must outlive it.
class ForwardPass {
 public:
  ForwardPass(const GptOssConfig& config, const GptOssWeights& weights, const KvShape& kv,
              const KernelTable& kernels, ThreadPool& pool, const PackedWeights* packed,
              ActivationBits bits);

  // With an observer the last layer computes all rows; without one, those of `wanted` alone, to the
  // same bits.
  void Run(const Batch& batch, const ResidualObserver& observer);
  // As Forward::ExpertReads.
  [[nodiscard]] std::uint64_t expert_reads() const { return expert_reads_; }

 private:
  void Prepare(const Batch& batch);
  void Embed(const Batch& batch);
  void Normalize(std::size_t row, const std::vector<float>& weight);
  void QueryKeyValue(const LayerWeights& layer);
  void RotateAndStore(const Batch& batch, std::size_t layer);
  void Attend(const Batch& batch, std::size_t layer);
  void KeepWanted(const Batch& batch);
  void ProjectAttention(std::size_t layer);
  void MixExperts(std::size_t layer);
  void Unembed(const Batch& batch);
  // The wanted rows that ask for the same ids.
  void UnembedGroup(std::span<const WantedRow> group);

  void ForRows(const std::function<void(std::size_t)>& body);

  const GptOssConfig& config_;
  const GptOssWeights& weights_;
  const KernelTable& kernels_;
  ThreadPool& pool_;
  LinearRunner linear_;
  AttentionRunner attention_;
  Rope rope_;
  KvShape kv_;

  // Small vectors of every layer, as floats.
  std::vector<std::vector<float>> attention_norms_;
  std::vector<std::vector<float>> expert_norms_;
  std::vector<std::vector<float>> sinks_;
  std::vector<float> final_norm_;

  // Activations, by row of the batch.
  std::size_t rows_ = 0;
  std::uint64_t expert_reads_ = 0;
  AlignedFloats residual_;           // [hidden]
  AlignedFloats normed_;             // [hidden]
  AlignedFloats query_;              // [heads * head_dim]
  AlignedFloats key_;                // [kv_heads * head_dim]
  AlignedFloats value_;              // [kv_heads * head_dim]
  AlignedFloats context_;            // [heads * head_dim], padded to kColumnQuantum with zeros
  AlignedFloats update_;             // [hidden], what a block adds
  AlignedFloats router_;             // [experts]
  AlignedFloats inner_;              // by slot of the routing: [intermediate]
  AlignedFloats outer_;              // by slot of the routing: [hidden]
  AlignedFloats cosines_;            // [head_dim / 2]
  AlignedFloats sines_;              // [head_dim / 2]
  AlignedFloats logits_;             // of a group whose rows do not lie one behind the other
  std::vector<std::size_t> places_;  // where the rows of the batch stand
  std::vector<std::size_t> positions_;
  std::vector<std::size_t> segments_;
  std::vector<const float*> normed_rows_;
  std::vector<const float*> context_rows_;
};

}  // namespace safeguard::engine::cpu
