#include "engine/encoder/bert_layers.h"

#include <algorithm>

#include "base/check.h"

namespace safeguard::engine {
namespace {

std::byte* Grow(AlignedBytes& bytes, std::size_t size) {
  if (bytes.size() < size) {
    bytes = AlignedBytes(size);
  }
  return bytes.data();
}

std::size_t RowsOf(std::span<const SequenceRows> sequences) {
  return sequences.empty() ? 0 : sequences.back().first_row + sequences.back().tokens;
}

}  // namespace

void Crew::ForEach(std::size_t count,
                   const std::function<void(std::size_t, std::size_t)>& body) const {
  if (pool_ != nullptr) {
    pool_->ParallelFor(count, body);
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    body(i, 0);
  }
}

void LayerRows::Reserve(std::size_t rows, std::size_t width) {
  Grow(hidden, rows * width * sizeof(float));
  Grow(query_key_value, 3 * rows * width * sizeof(float));
  Grow(context, rows * width * sizeof(float));
}

std::vector<LayerScratch> BertLayers::NewScratch(std::size_t workers,
                                                 std::size_t tokens_max) const {
  const std::size_t block_rows = RoundUp(kBlockRows, kernels_.row_quantum);
  const std::size_t widest =
      std::max(config_.hidden, std::min(kernels_.inner_block, config_.intermediate));
  std::vector<LayerScratch> all;
  for (std::size_t worker = 0; worker < workers; ++worker) {
    LayerScratch& scratch = all.emplace_back();
    scratch.prepared = AlignedBytes(
        std::max(kernels_.prepared_bytes(block_rows, config_.hidden, InputKind::kHidden),
                 kernels_.prepared_bytes(block_rows, config_.hidden, InputKind::kContext)));
    scratch.prepared_inner =
        AlignedBytes(kernels_.prepared_bytes(block_rows, config_.intermediate, InputKind::kInner));
    scratch.floats = AlignedBytes(block_rows * widest * sizeof(float));
    scratch.attention = AlignedBytes(
        AttentionScratchFloats(tokens_max, config_.hidden / config_.heads) * sizeof(float));
  }
  return all;
}

std::size_t BertLayers::BlockOf(std::size_t rows, std::size_t workers) const {
  const std::size_t most = RoundUp(kBlockRows, kernels_.row_quantum);
  const std::size_t blocks = std::max<std::size_t>(RoundUp((rows + most - 1) / most, workers), 1);
  return std::max<std::size_t>(RoundUp((rows + blocks - 1) / blocks, kernels_.row_quantum), 1);
}

void BertLayers::Start(LayerRows& rows, std::span<const SequenceRows> sequences,
                       std::span<const std::int32_t* const> ids, std::size_t token_type,
                       const Crew& crew, std::span<LayerScratch> scratch) const {
  CHECK(token_type < 2 && ids.size() == sequences.size() && scratch.size() >= crew.size());
  const std::size_t count = RowsOf(sequences);
  const std::size_t block = BlockOf(count, crew.size());
  crew.ForEach((count + block - 1) / block, [&](std::size_t i, std::size_t worker) {
    const std::size_t end = std::min(count, (i + 1) * block);
    EmbedTokens(rows, sequences, ids, token_type, i * block, end);
    QueryKeyValue(rows, 0, i * block, end, 0, scratch[worker]);
  });
}

void BertLayers::Run(LayerRows& rows, std::span<const SequenceRows> sequences, std::size_t first,
                     std::size_t last, Queries next, const Crew& crew,
                     std::span<LayerScratch> scratch) const {
  CHECK(last <= config_.layers && scratch.size() >= crew.size());
  const std::size_t hidden = config_.hidden;
  const std::size_t count = RowsOf(sequences);
  const std::size_t block = BlockOf(count, crew.size());
  // Two meetings of the threads a layer: attention needs all rows of a sequence, the rest none but
  // its own.
  for (std::size_t layer = first; layer < last; ++layer) {
    crew.ForEach(sequences.size() * config_.heads, [&](std::size_t i, std::size_t worker) {
      const SequenceRows& sequence = sequences[i / config_.heads];
      Attend(rows.query_key_value.floats() + 3 * sequence.first_row * hidden, sequence.tokens,
             sequence.tokens, i % config_.heads,
             rows.context.floats() + sequence.first_row * hidden, scratch[worker]);
    });
    crew.ForEach((count + block - 1) / block, [&](std::size_t i, std::size_t worker) {
      const std::size_t begin = i * block;
      const std::size_t end = std::min(count, begin + block);
      FinishLayer(layer, rows.context.floats() + begin * hidden,
                  rows.hidden.floats() + begin * hidden, end - begin, scratch[worker]);
      if (layer + 1 == config_.layers) {
        return;
      }
      const bool first_rows = layer + 1 == last && next == Queries::kFirstRow;
      QueryKeyValue(rows, layer + 1, begin, end, first_rows ? hidden : 0, scratch[worker]);
      if (first_rows) {
        FirstRowQueries(rows, sequences, layer + 1, begin, end, scratch[worker]);
      }
    });
  }
}

void BertLayers::EmbedTokens(LayerRows& rows, std::span<const SequenceRows> sequences,
                             std::span<const std::int32_t* const> ids, std::size_t token_type,
                             std::size_t begin, std::size_t end) const {
  const std::size_t hidden = config_.hidden;
  const std::vector<float>& positions = weights_.positions[token_type];
  const auto behind = std::ranges::upper_bound(sequences, begin, {}, &SequenceRows::first_row);
  auto i = static_cast<std::size_t>(behind - sequences.begin()) - 1;
  std::vector<float> word(hidden);
  for (std::size_t row = begin; row < end; ++row) {
    while (row - sequences[i].first_row >= sequences[i].tokens) {
      ++i;
    }
    const std::size_t position = row - sequences[i].first_row;
    const auto id = static_cast<std::size_t>(ids[i][position]);
    Widen(weights_.words, id * hidden, hidden, kernels_, word.data());
    weights_.swaps.Apply(word.data());
    kernels_.add_layer_norm({word.data(), positions.data() + position * hidden,
                             weights_.embedding_norm.weight.data(),
                             weights_.embedding_norm.bias.data(), config_.layer_norm_epsilon,
                             hidden, 1, rows.hidden.floats() + row * hidden});
  }
}

void BertLayers::Multiply(const LinearLayer& layer, const std::byte* prepared, std::size_t rows,
                          float* out, std::size_t out_stride) const {
  kernels_.multiply({layer.packed.data(), layer.bias.data(), layer.outputs, layer.inputs,
                     layer.kind, 0, layer.outputs, prepared, rows, out, out_stride});
}

void BertLayers::QueryKeyValue(LayerRows& rows, std::size_t layer, std::size_t begin,
                               std::size_t end, std::size_t first_column,
                               LayerScratch& scratch) const {
  const std::size_t hidden = config_.hidden;
  const LinearLayer& weights = weights_.layers[layer].query_key_value;
  kernels_.prepare_rows({rows.hidden.floats() + begin * hidden, hidden, end - begin, hidden,
                         InputKind::kHidden, 0, hidden, scratch.prepared.data()});
  kernels_.multiply({weights.packed.data(), weights.bias.data(), weights.outputs, weights.inputs,
                     weights.kind, first_column, weights.outputs, scratch.prepared.data(),
                     end - begin, rows.query_key_value.floats() + 3 * begin * hidden + first_column,
                     3 * hidden});
}

void BertLayers::FirstRowQueries(LayerRows& rows, std::span<const SequenceRows> sequences,
                                 std::size_t layer, std::size_t begin, std::size_t end,
                                 LayerScratch& scratch) const {
  const std::size_t hidden = config_.hidden;
  const LinearLayer& weights = weights_.layers[layer].query_key_value;
  for (const SequenceRows& sequence : sequences) {
    const std::size_t row = sequence.first_row;
    if (row < begin || row >= end) {
      continue;
    }
    kernels_.prepare_rows({rows.hidden.floats() + row * hidden, hidden, 1, hidden,
                           InputKind::kHidden, 0, hidden, scratch.prepared.data()});
    kernels_.multiply({weights.packed.data(), weights.bias.data(), weights.outputs, weights.inputs,
                       weights.kind, 0, hidden, scratch.prepared.data(), 1,
                       rows.query_key_value.floats() + 3 * row * hidden, 3 * hidden});
  }
}

void BertLayers::Attend(const float* query_key_value, std::size_t tokens, std::size_t queries,
                        std::size_t head, float* context, LayerScratch& scratch) const {
  const std::size_t hidden = config_.hidden;
  const std::size_t width = hidden / config_.heads;
  const float* query = query_key_value + head * width;
  kernels_.attention({query, query + hidden, query + 2 * hidden, 3 * hidden, tokens, queries, width,
                      context + head * width, hidden, scratch.attention.floats()});
}

void BertLayers::AttendFirstRow(const LayerRows& rows, const SequenceRows& sequence, float* context,
                                LayerScratch& scratch) const {
  const float* first = reinterpret_cast<const float*>(rows.query_key_value.data()) +
                       3 * sequence.first_row * config_.hidden;
  for (std::size_t head = 0; head < config_.heads; ++head) {
    Attend(first, sequence.tokens, 1, head, context, scratch);
  }
}

void BertLayers::FinishLayer(std::size_t layer, float* context, float* hidden, std::size_t rows,
                             LayerScratch& scratch) const {
  const BertLayer& weights = weights_.layers[layer];
  const std::size_t width = config_.hidden;
  const std::size_t inner = config_.intermediate;
  float* floats = scratch.floats.floats();
  const auto add_norm = [&](const LayerNormWeights& norm) {
    kernels_.add_layer_norm({floats, hidden, norm.weight.data(), norm.bias.data(),
                             config_.layer_norm_epsilon, width, rows, hidden});
  };
  kernels_.prepare_rows(
      {context, width, rows, width, InputKind::kContext, 0, width, scratch.prepared.data()});
  Multiply(weights.attention_output, scratch.prepared.data(), rows, floats, width);
  add_norm(weights.attention_norm);
  kernels_.prepare_rows(
      {hidden, width, rows, width, InputKind::kHidden, 0, width, scratch.prepared.data()});
  // The inner layer block by block, so that its binary32 values never leave the cache.
  for (std::size_t column = 0; column < inner; column += kernels_.inner_block) {
    const std::size_t columns = std::min(kernels_.inner_block, inner - column);
    kernels_.multiply({weights.intermediate.packed.data(), weights.intermediate.bias.data(), inner,
                       width, InputKind::kHidden, column, column + columns, scratch.prepared.data(),
                       rows, floats, columns});
    kernels_.prepare_gelu({floats, columns, rows, inner, InputKind::kInner, column, columns,
                           scratch.prepared_inner.data()});
  }
  Multiply(weights.output, scratch.prepared_inner.data(), rows, floats, width);
  add_norm(weights.output_norm);
}

}  // namespace safeguard::engine
