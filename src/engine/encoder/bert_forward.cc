#include "engine/encoder/bert_forward.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "base/check.h"

namespace safeguard::engine {
namespace {

// Rows that one thread takes through a layer at a time: their activations stay in its L2 cache
// (half a megabyte on the smallest servers) while the layer's weights stream by.
constexpr std::size_t kBlockRows = 96;

// Inputs [first, first + count) and where their embeddings go.
struct Group {
  std::size_t first = 0;
  std::size_t count = 0;
  std::size_t out = 0;
  std::size_t floats = 0;
};

// Consecutive inputs, each group the fewest that fill a block.
std::vector<Group> GroupsOf(std::span<const EncoderInput> inputs, std::size_t hidden) {
  std::vector<Group> groups;
  std::size_t rows = kBlockRows;
  std::size_t out = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (rows >= kBlockRows) {
      groups.push_back({i, 0, out, 0});
      rows = 0;
    }
    const std::size_t floats = inputs[i].pools.size() * hidden;
    ++groups.back().count;
    groups.back().floats += floats;
    rows += inputs[i].ids.size();
    out += floats;
  }
  return groups;
}

std::size_t LongestOf(std::span<const EncoderInput> inputs) {
  std::size_t longest = 0;
  for (const EncoderInput& input : inputs) {
    longest = std::max(longest, input.ids.size());
  }
  return longest;
}

// Memory that is kept from one use to the next and grows when it must.
std::byte* Reserve(AlignedBytes& bytes, std::size_t size) {
  if (bytes.size() < size) {
    bytes = AlignedBytes(size);
  }
  return bytes.data();
}

}  // namespace

// The hidden states of some sequences on their way through the layers.
struct BertForward::Batch {
  std::span<const EncoderInput> inputs;
  std::vector<std::size_t> first_row;  // of each input
  std::size_t rows = 0;
  mutable AlignedBytes hidden;           // [rows, hidden]
  mutable AlignedBytes query_key_value;  // [rows, 3 * hidden]
  mutable AlignedBytes context;          // [rows, hidden]

  void Start(std::span<const EncoderInput> batch_inputs, std::size_t width) {
    inputs = batch_inputs;
    first_row.clear();
    rows = 0;
    for (const EncoderInput& input : inputs) {
      first_row.push_back(rows);
      rows += input.ids.size();
    }
    Reserve(hidden, rows * width * sizeof(float));
    Reserve(query_key_value, 3 * rows * width * sizeof(float));
    Reserve(context, rows * width * sizeof(float));
  }
};

struct BertForward::Scratch {
  AlignedBytes prepared;        // rows of width `hidden`
  AlignedBytes prepared_inner;  // rows of width `intermediate`
  AlignedBytes floats;          // rows of a layer's output or of one block of the inner layer
  AlignedBytes attention;
  Batch batch;
};

void BertForward::Embed(std::span<const EncoderInput> inputs, std::span<float> out,
                        ThreadPool& pool) const {
  const std::vector<Group> groups = GroupsOf(inputs, config_.hidden);
  CHECK(out.size() == (groups.empty() ? 0 : groups.back().out + groups.back().floats));
  if (groups.size() < pool.size()) {
    Batch batch;
    batch.Start(inputs, config_.hidden);
    RunTogether(batch, config_.layers, pool);
    Pool(batch, out);
    return;
  }
  // With work enough for every thread, sequences never meet: each thread takes some through all
  // layers.
  const std::size_t tokens_max = LongestOf(inputs);
  std::vector<std::optional<Scratch>> scratch(pool.size());
  pool.ParallelFor(groups.size(), [&](std::size_t i, std::size_t worker) {
    if (!scratch[worker]) {
      scratch[worker] = NewScratch(RoundUp(kBlockRows, kernels_.row_quantum), tokens_max);
    }
    Batch& batch = scratch[worker]->batch;
    const Group& group = groups[i];
    batch.Start(inputs.subspan(group.first, group.count), config_.hidden);
    RunAlone(batch, config_.layers, *scratch[worker]);
    Pool(batch, out.subspan(group.out, group.floats));
  });
}

void BertForward::HiddenStates(std::span<const std::int32_t> ids, std::size_t layers,
                               std::span<float> out, ThreadPool& pool) const {
  CHECK(layers <= config_.layers && out.size() == ids.size() * config_.hidden);
  const EncoderInput input{ids, {}};
  Batch batch;
  batch.Start({&input, 1}, config_.hidden);
  RunTogether(batch, layers, pool);
  std::copy_n(batch.hidden.floats(), out.size(), out.data());
  for (std::size_t row = 0; row < ids.size(); ++row) {
    weights_.swaps.Apply(out.data() + row * config_.hidden);
  }
}

BertForward::Scratch BertForward::NewScratch(std::size_t block_rows, std::size_t tokens_max) const {
  Scratch scratch;
  const std::size_t widest =
      std::max(config_.hidden, std::min(kernels_.inner_block, config_.intermediate));
  scratch.prepared = AlignedBytes(
      std::max(kernels_.prepared_bytes(block_rows, config_.hidden, InputKind::kHidden),
               kernels_.prepared_bytes(block_rows, config_.hidden, InputKind::kContext)));
  scratch.prepared_inner =
      AlignedBytes(kernels_.prepared_bytes(block_rows, config_.intermediate, InputKind::kInner));
  scratch.floats = AlignedBytes(block_rows * widest * sizeof(float));
  scratch.attention = AlignedBytes(
      AttentionScratchFloats(tokens_max, config_.hidden / config_.heads) * sizeof(float));
  return scratch;
}

void BertForward::RunAlone(const Batch& batch, std::size_t layers, Scratch& scratch) const {
  // Equal blocks of whole register tiles.
  const std::size_t most = RoundUp(kBlockRows, kernels_.row_quantum);
  const std::size_t count = (batch.rows + most - 1) / most;
  const std::size_t block = RoundUp((batch.rows + count - 1) / count, kernels_.row_quantum);
  EmbedTokens(batch, 0, batch.rows);
  for (std::size_t layer = 0; layer < layers; ++layer) {
    for (std::size_t row = 0; row < batch.rows; row += block) {
      QueryKeyValue(batch, layer, row, std::min(batch.rows, row + block), scratch);
    }
    for (std::size_t task = 0; task < batch.inputs.size() * config_.heads; ++task) {
      Attend(batch, task, scratch);
    }
    for (std::size_t row = 0; row < batch.rows; row += block) {
      FinishLayer(batch, layer, row, std::min(batch.rows, row + block), scratch);
    }
  }
}

void BertForward::RunTogether(const Batch& batch, std::size_t layers, ThreadPool& pool) const {
  // Equal blocks of whole register tiles, at least one for each thread.
  const std::size_t least = (batch.rows + kBlockRows - 1) / kBlockRows;
  const std::size_t wanted = std::max<std::size_t>(RoundUp(least, pool.size()), 1);
  const std::size_t block = RoundUp((batch.rows + wanted - 1) / wanted, kernels_.row_quantum);
  const std::size_t blocks = batch.rows == 0 ? 0 : (batch.rows + block - 1) / block;
  std::vector<Scratch> scratch;
  for (std::size_t worker = 0; worker < pool.size(); ++worker) {
    scratch.push_back(NewScratch(block, LongestOf(batch.inputs)));
  }
  // Two meetings of the threads a layer: attention needs all rows of a sequence, the rest none but
  // its own.
  pool.ParallelFor(blocks, [&](std::size_t i, std::size_t worker) {
    const std::size_t end = std::min(batch.rows, (i + 1) * block);
    EmbedTokens(batch, i * block, end);
    if (layers > 0) {
      QueryKeyValue(batch, 0, i * block, end, scratch[worker]);
    }
  });
  for (std::size_t layer = 0; layer < layers; ++layer) {
    pool.ParallelFor(batch.inputs.size() * config_.heads,
                     [&](std::size_t i, std::size_t worker) { Attend(batch, i, scratch[worker]); });
    pool.ParallelFor(blocks, [&](std::size_t i, std::size_t worker) {
      const std::size_t end = std::min(batch.rows, (i + 1) * block);
      FinishLayer(batch, layer, i * block, end, scratch[worker]);
      if (layer + 1 < layers) {
        QueryKeyValue(batch, layer + 1, i * block, end, scratch[worker]);
      }
    });
  }
}

void BertForward::EmbedTokens(const Batch& batch, std::size_t begin, std::size_t end) const {
  const std::size_t hidden = config_.hidden;
  std::size_t input = static_cast<std::size_t>(std::ranges::upper_bound(batch.first_row, begin) -
                                               batch.first_row.begin() - 1);
  std::vector<float> word(hidden);
  for (std::size_t row = begin; row < end; ++row) {
    while (row - batch.first_row[input] >= batch.inputs[input].ids.size()) {
      ++input;
    }
    const std::size_t position = row - batch.first_row[input];
    const auto id = static_cast<std::size_t>(batch.inputs[input].ids[position]);
    Widen(weights_.words, id * hidden, hidden, kernels_, word.data());
    weights_.swaps.Apply(word.data());
    kernels_.add_layer_norm({word.data(), weights_.positions.data() + position * hidden,
                             weights_.embedding_norm.weight.data(),
                             weights_.embedding_norm.bias.data(), config_.layer_norm_epsilon,
                             hidden, 1, batch.hidden.floats() + row * hidden});
  }
}

void BertForward::Multiply(const LinearLayer& layer, const std::byte* prepared, std::size_t rows,
                           float* out, std::size_t out_stride) const {
  kernels_.multiply({layer.packed.data(), layer.bias.data(), layer.outputs, layer.inputs,
                     layer.kind, 0, layer.outputs, prepared, rows, out, out_stride});
}

void BertForward::QueryKeyValue(const Batch& batch, std::size_t layer, std::size_t begin,
                                std::size_t end, Scratch& scratch) const {
  const std::size_t hidden = config_.hidden;
  kernels_.prepare_rows({batch.hidden.floats() + begin * hidden, hidden, end - begin, hidden,
                         InputKind::kHidden, 0, hidden, scratch.prepared.data()});
  Multiply(weights_.layers[layer].query_key_value, scratch.prepared.data(), end - begin,
           batch.query_key_value.floats() + 3 * begin * hidden, 3 * hidden);
}

void BertForward::Attend(const Batch& batch, std::size_t task, Scratch& scratch) const {
  const std::size_t hidden = config_.hidden;
  const std::size_t head = hidden / config_.heads;
  const std::size_t input = task / config_.heads;
  const std::size_t column = task % config_.heads * head;
  const std::size_t row = batch.first_row[input];
  const float* query = batch.query_key_value.floats() + 3 * row * hidden + column;
  kernels_.attention(
      {query, query + hidden, query + 2 * hidden, 3 * hidden, batch.inputs[input].ids.size(), head,
       batch.context.floats() + row * hidden + column, hidden, scratch.attention.floats()});
}

void BertForward::FinishLayer(const Batch& batch, std::size_t layer, std::size_t begin,
                              std::size_t end, Scratch& scratch) const {
  const BertLayer& weights = weights_.layers[layer];
  const std::size_t rows = end - begin;
  const std::size_t hidden = config_.hidden;
  const std::size_t inner = config_.intermediate;
  float* state = batch.hidden.floats() + begin * hidden;
  float* floats = scratch.floats.floats();
  const auto add_norm = [&](const LayerNormWeights& norm) {
    kernels_.add_layer_norm({floats, state, norm.weight.data(), norm.bias.data(),
                             config_.layer_norm_epsilon, hidden, rows, state});
  };
  kernels_.prepare_rows({batch.context.floats() + begin * hidden, hidden, rows, hidden,
                         InputKind::kContext, 0, hidden, scratch.prepared.data()});
  Multiply(weights.attention_output, scratch.prepared.data(), rows, floats, hidden);
  add_norm(weights.attention_norm);
  kernels_.prepare_rows(
      {state, hidden, rows, hidden, InputKind::kHidden, 0, hidden, scratch.prepared.data()});
  // The inner layer block by block, so that its binary32 values never leave the cache.
  for (std::size_t column = 0; column < inner; column += kernels_.inner_block) {
    const std::size_t columns = std::min(kernels_.inner_block, inner - column);
    kernels_.multiply({weights.intermediate.packed.data(), weights.intermediate.bias.data(), inner,
                       hidden, InputKind::kHidden, column, column + columns,
                       scratch.prepared.data(), rows, floats, columns});
    kernels_.prepare_gelu({floats, columns, rows, inner, InputKind::kInner, column, columns,
                           scratch.prepared_inner.data()});
  }
  Multiply(weights.output, scratch.prepared_inner.data(), rows, floats, hidden);
  add_norm(weights.output_norm);
}

void BertForward::Pool(const Batch& batch, std::span<float> out) const {
  const std::size_t hidden = config_.hidden;
  std::vector<double> mean(hidden);
  float* to = out.data();
  for (std::size_t i = 0; i < batch.inputs.size(); ++i) {
    for (const PoolRange& range : batch.inputs[i].pools) {
      std::ranges::fill(mean, 0.0);
      for (std::size_t token = range.begin; token < range.end; ++token) {
        const float* state = batch.hidden.floats() + (batch.first_row[i] + token) * hidden;
        for (std::size_t d = 0; d < hidden; ++d) {
          mean[d] += double{state[d]};
        }
      }
      double square = 0;
      for (const double value : mean) {
        square += value * value;
      }
      // The mean's divisor cancels in the normalisation.
      const bool usable = std::isfinite(square) && square > 0;
      const double factor = usable ? 1 / std::sqrt(square) : 0;
      for (std::size_t d = 0; d < hidden; ++d) {
        to[d] = usable ? static_cast<float>(mean[d] * factor) : 0.0F;
      }
      weights_.swaps.Apply(to);
      to += hidden;
    }
  }
}

}  // namespace safeguard::engine
