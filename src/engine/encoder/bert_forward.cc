#include "engine/encoder/bert_forward.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "base/check.h"

namespace safeguard::engine {
namespace {

// Sequences go through the layers together until they have so many rows.
constexpr std::size_t kGroupRows = 96;

// Inputs [first, first + count) and where their embeddings go.
struct Group {
  std::size_t first = 0;
  std::size_t count = 0;
  std::size_t out = 0;
  std::size_t floats = 0;
};

// Consecutive inputs, each group the fewest that have kGroupRows.
std::vector<Group> GroupsOf(std::span<const EncoderInput> inputs, std::size_t hidden) {
  std::vector<Group> groups;
  std::size_t rows = kGroupRows;
  std::size_t out = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (rows >= kGroupRows) {
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

// One worker's memory.
struct Bench {
  LayerRows rows;
  std::vector<LayerScratch> scratch;
};

}  // namespace

void BertForward::Embed(std::span<const EncoderInput> inputs, std::span<float> out,
                        ThreadPool& pool) const {
  const std::vector<Group> groups = GroupsOf(inputs, layers_.config().hidden);
  CHECK(out.size() == (groups.empty() ? 0 : groups.back().out + groups.back().floats));
  const std::size_t tokens_max = LongestOf(inputs);
  if (groups.size() < pool.size()) {
    LayerRows rows;
    std::vector<LayerScratch> scratch = layers_.NewScratch(pool.size(), tokens_max);
    const auto sequences = Run(inputs, layers_.config().layers, rows, Crew(pool), scratch);
    Pool(inputs, sequences, rows.hidden.floats(), out);
    return;
  }
  // With work enough for every thread, sequences never meet: each thread takes some through all
  // layers.
  std::vector<std::optional<Bench>> benches(pool.size());
  pool.ParallelFor(groups.size(), [&](std::size_t i, std::size_t worker) {
    if (!benches[worker]) {
      benches[worker].emplace(Bench{{}, layers_.NewScratch(1, tokens_max)});
    }
    Bench& bench = *benches[worker];
    const auto group = inputs.subspan(groups[i].first, groups[i].count);
    const auto sequences = Run(group, layers_.config().layers, bench.rows, Crew(), bench.scratch);
    Pool(group, sequences, bench.rows.hidden.floats(),
         out.subspan(groups[i].out, groups[i].floats));
  });
}

void BertForward::HiddenStates(std::span<const std::int32_t> ids, std::size_t layers,
                               std::span<float> out, ThreadPool& pool) const {
  const std::size_t hidden = layers_.config().hidden;
  CHECK(layers <= layers_.config().layers && out.size() == ids.size() * hidden);
  const EncoderInput input{ids, {}};
  LayerRows rows;
  std::vector<LayerScratch> scratch = layers_.NewScratch(pool.size(), ids.size());
  Run({&input, 1}, layers, rows, Crew(pool), scratch);
  std::copy_n(rows.hidden.floats(), out.size(), out.data());
  for (std::size_t row = 0; row < ids.size(); ++row) {
    layers_.weights().swaps.Apply(out.data() + row * hidden);
  }
}

std::vector<SequenceRows> BertForward::Run(std::span<const EncoderInput> inputs, std::size_t layers,
                                           LayerRows& rows, const Crew& crew,
                                           std::span<LayerScratch> scratch) const {
  std::vector<SequenceRows> sequences;
  std::vector<const std::int32_t*> ids;
  std::size_t count = 0;
  for (const EncoderInput& input : inputs) {
    sequences.push_back({count, input.ids.size()});
    ids.push_back(input.ids.data());
    count += input.ids.size();
  }
  rows.Reserve(count, layers_.config().hidden);
  layers_.Start(rows, sequences, ids, 0, crew, scratch);
  layers_.Run(rows, sequences, 0, layers, Queries::kAll, crew, scratch);
  return sequences;
}

void BertForward::Pool(std::span<const EncoderInput> inputs,
                       std::span<const SequenceRows> sequences, const float* hidden,
                       std::span<float> out) const {
  const std::size_t width = layers_.config().hidden;
  std::vector<double> mean(width);
  float* to = out.data();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    for (const PoolRange& range : inputs[i].pools) {
      std::ranges::fill(mean, 0.0);
      for (std::size_t token = range.begin; token < range.end; ++token) {
        const float* state = hidden + (sequences[i].first_row + token) * width;
        for (std::size_t d = 0; d < width; ++d) {
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
      for (std::size_t d = 0; d < width; ++d) {
        to[d] = usable ? static_cast<float>(mean[d] * factor) : 0.0F;
      }
      layers_.weights().swaps.Apply(to);
      to += width;
    }
  }
}

}  // namespace safeguard::engine
