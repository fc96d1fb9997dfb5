// The layers of BERT (Devlin et al. 2018; post-layer-norm, exact GELU, absolute positions) over a
// ragged batch: sequences stand one after the other without padding, so there is no mask and no
// wasted row. The forward passes (bert_forward.h, pair_forward.h) are made of these.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "engine/encoder.h"
#include "engine/encoder/aligned_bytes.h"
#include "engine/encoder/bert_weights.h"
#include "engine/encoder/kernels/kernel_table.h"

namespace safeguard::engine {

// Rows that one thread takes through a layer at a time: their activations stay in its L2 cache
// (half a megabyte on the smallest servers) while the layer's weights stream by, once for all of
// a content of 100 tokens.
inline constexpr std::size_t kBlockRows = 144;

// Who works on a pass: the calling thread alone, or all threads of a pool.
class Crew {
 public:
  Crew() = default;
  explicit Crew(ThreadPool& pool) : pool_(&pool) {}

  [[nodiscard]] std::size_t size() const { return pool_ == nullptr ? 1 : pool_->size(); }
  // As ThreadPool::ParallelFor.
  void ForEach(std::size_t count, const std::function<void(std::size_t, std::size_t)>& body) const;

 private:
  ThreadPool* pool_ = nullptr;
};

// One sequence of a batch.
struct SequenceRows {
  std::size_t first_row = 0;
  std::size_t tokens = 0;
};

// The activations of a batch on their way through the layers, row-major. Grows when it must.
struct LayerRows {
  AlignedBytes hidden;           // [rows, hidden]
  AlignedBytes query_key_value;  // [rows, 3 * hidden]
  AlignedBytes context;          // [rows, hidden]

  void Reserve(std::size_t rows, std::size_t width);
};

// Memory of one worker.
struct LayerScratch {
  AlignedBytes prepared;        // rows of width `hidden`
  AlignedBytes prepared_inner;  // rows of width `intermediate`
  AlignedBytes floats;          // rows of a layer's output or of one block of the inner layer
  AlignedBytes attention;
};

// Which queries a layer will ask for: of all rows, or of each sequence's first row alone.
enum class Queries : std::uint8_t { kAll, kFirstRow };

// Immutable; may be used from several threads. Each row is the same bits whatever rows are with it
// and however many threads work.
class BertLayers {
 public:
  // All three must outlive this object.
  BertLayers(const EncoderConfig& config, const BertWeights& weights, const KernelTable& kernels)
      : config_(config), weights_(weights), kernels_(kernels) {}

  // Scratch for each of a crew of `workers`, for sequences of at most `tokens_max` tokens.
  [[nodiscard]] std::vector<LayerScratch> NewScratch(std::size_t workers,
                                                     std::size_t tokens_max) const;

  // `rows.hidden` = the embeddings of the sequences' tokens (`ids[i]` holds `sequences[i].tokens`
  // ids) of token type 0 or 1, and what layer 0 makes of them (rows.query_key_value).
  // REQUIRES: `sequences` in order, without gaps; rows reserved; a scratch for each of the crew.
  void Start(LayerRows& rows, std::span<const SequenceRows> sequences,
             std::span<const std::int32_t* const> ids, std::size_t token_type, const Crew& crew,
             std::span<LayerScratch> scratch) const;

  // Layers [first, last). REQUIRES: query_key_value of layer `first`. Leaves that of layer `last`,
  // where there is one, with `next` saying which queries.
  void Run(LayerRows& rows, std::span<const SequenceRows> sequences, std::size_t first,
           std::size_t last, Queries next, const Crew& crew, std::span<LayerScratch> scratch) const;

  // The attention of all heads for a sequence's first row, to context[hidden]. REQUIRES:
  // query_key_value of the layer.
  void AttendFirstRow(const LayerRows& rows, const SequenceRows& sequence, float* context,
                      LayerScratch& scratch) const;

  // What a layer does behind its attention, for at most kBlockRows rows: `hidden` goes from the
  // layer's input to its output. REQUIRES: rows <= RoundUp(kBlockRows, row_quantum).
  void FinishLayer(std::size_t layer, float* context, float* hidden, std::size_t rows,
                   LayerScratch& scratch) const;

  [[nodiscard]] const EncoderConfig& config() const { return config_; }
  [[nodiscard]] const BertWeights& weights() const { return weights_; }

 private:
  // `rows` in blocks of whole register tiles, at least one for each worker.
  [[nodiscard]] std::size_t BlockOf(std::size_t rows, std::size_t workers) const;
  void EmbedTokens(LayerRows& rows, std::span<const SequenceRows> sequences,
                   std::span<const std::int32_t* const> ids, std::size_t token_type,
                   std::size_t begin, std::size_t end) const;
  void QueryKeyValue(LayerRows& rows, std::size_t layer, std::size_t begin, std::size_t end,
                     std::size_t first_column, LayerScratch& scratch) const;
  void FirstRowQueries(LayerRows& rows, std::span<const SequenceRows> sequences, std::size_t layer,
                       std::size_t begin, std::size_t end, LayerScratch& scratch) const;
  void Attend(const float* query_key_value, std::size_t tokens, std::size_t queries,
              std::size_t head, float* context, LayerScratch& scratch) const;
  void Multiply(const LinearLayer& layer, const std::byte* prepared, std::size_t rows, float* out,
                std::size_t out_stride) const;

  const EncoderConfig& config_;
  const BertWeights& weights_;
  const KernelTable& kernels_;
};

}  // namespace safeguard::engine
