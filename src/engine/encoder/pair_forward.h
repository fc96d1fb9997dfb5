// The forward pass of a model of pairs (pair_encoder.h) over BERT's layers.
//
// The first layer that reads both sides asks queries, keys and values of rows that the lower layers
// have left: these too are made once a block. Of the last layer only the first row of the content
// is wanted: its keys and values are made of all rows, everything else of that row alone, and of
// many pairs at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "engine/encoder/bert_layers.h"
#include "engine/encoder/bert_weights.h"
#include "engine/encoder/kernels/kernel_table.h"
#include "engine/pair_encoder.h"

namespace safeguard::engine {

// A text behind the lower layers: hidden states and what the next layer makes of them.
struct EncodedBlock {
  std::size_t tokens = 0;
  LayerRows rows;
};

class PairForward {
 public:
  // All must outlive this object, which is immutable.
  PairForward(const EncoderConfig& base, const PairConfig& config, const PairWeights& weights,
              const KernelTable& kernels)
      : config_(config), weights_(weights), layers_(base, weights.bert, kernels) {}

  // A policy's block, alone.
  [[nodiscard]] EncodedBlock EncodePolicy(TokenIds ids, ThreadPool& pool) const;

  // As PairEncoder::Score.
  void Score(std::span<const TokenIds> contents, std::span<const EncodedBlock* const> policies,
             std::span<float> logits, std::span<float> first_states, ThreadPool& pool) const;

 private:
  struct Desk;
  struct LastRows;

  void Lower(TokenIds ids, std::size_t token_type, EncodedBlock& block, const Crew& crew,
             std::span<LayerScratch> scratch) const;
  // The content's first row in front of the last layer, and its attention there, for every policy.
  void ScoreContent(TokenIds content, std::span<const EncodedBlock* const> policies,
                    std::size_t first_pair, LastRows& last, const Crew& crew, Desk& desk) const;
  // Splits a block's rows off into a batch that holds both.
  void Append(const EncodedBlock& block, std::size_t first_row, LayerRows& rows) const;

  const PairConfig& config_;
  const PairWeights& weights_;
  BertLayers layers_;
};

}  // namespace safeguard::engine
