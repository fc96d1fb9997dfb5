#include "engine/cpu/forward_pass.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "engine/cpu/routing.h"
#include "engine/model/dequantize.h"

namespace safeguard::engine::cpu {
namespace {

// Rows that a thread takes through a step of its own at a time.
constexpr std::size_t kRowsAtATime = 8;

std::vector<float> Floats(const VectorView& vector) {
  std::vector<float> floats(vector.size);
  DequantizeVector(vector, 0, floats);
  return floats;
}

std::vector<const float*> RowsOf(const AlignedFloats& from, std::size_t rows, std::size_t stride) {
  std::vector<const float*> pointers(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    pointers[row] = from.data() + row * stride;
  }
  return pointers;
}

bool SameIds(std::span<const std::uint32_t> a, std::span<const std::uint32_t> b) {
  return a.size() == b.size() && (a.data() == b.data() || std::ranges::equal(a, b));
}

}  // namespace

void ForwardPass::Run(const Batch& batch, const ResidualObserver& observer) {
  Prepare(batch);
  Embed(batch);
  for (std::size_t layer = 0; layer < config_.layers; ++layer) {
    QueryKeyValue(weights_.layers[layer]);
    RotateAndStore(batch, layer);
    Attend(batch, layer);
    if (layer + 1 == config_.layers && !observer) {
      KeepWanted(batch);
    }
    if (rows_ > 0) {
      ProjectAttention(layer);
      MixExperts(layer);
    }
    if (observer) {
      observer(layer, batch, {residual_.data(), rows_ * config_.hidden});
    }
  }
  Unembed(batch);
}

void ForwardPass::Embed(const Batch& batch) {
  ForRows([&](std::size_t row) {
    DequantizeRow(weights_.embedding, batch.tokens[row], 0,
                  {residual_.data() + row * config_.hidden, config_.hidden});
    Normalize(row, attention_norms_.front());
  });
}

// What the next block reads, while the row is still in the cache.
void ForwardPass::Normalize(std::size_t row, const std::vector<float>& weight) {
  kernels_.rms_norm({residual_.data() + row * config_.hidden, weight.data(), config_.rms_epsilon,
                     config_.hidden, normed_.data() + row * config_.hidden});
}

void ForwardPass::QueryKeyValue(const LayerWeights& layer) {
  const LinearJob jobs[] = {
      {&layer.query, &layer.query_bias, normed_rows_, query_.data(), layer.query.rows},
      {&layer.key, &layer.key_bias, normed_rows_, key_.data(), layer.key.rows},
      {&layer.value, &layer.value_bias, normed_rows_, value_.data(), layer.value.rows}};
  linear_.Run(jobs);
}

// The softmax's 1 / sqrt(head_dim) goes into the queries. The concentration is in the cosines.
void ForwardPass::RotateAndStore(const Batch& batch, std::size_t layer) {
  const std::size_t dim = config_.head_dim;
  const float scale = 1.0F / std::sqrt(static_cast<float>(dim));
  ForRows([&](std::size_t row) {
    const float* cosines = cosines_.data() + row * (dim / 2);
    const float* sines = sines_.data() + row * (dim / 2);
    for (std::size_t head = 0; head < config_.heads; ++head) {
      Rotate(cosines, sines, dim, scale, query_.data() + (row * config_.heads + head) * dim);
    }
    std::byte* page = batch.segments[segments_[row]].layers[layer].PageOf(positions_[row]);
    for (std::size_t head = 0; head < config_.kv_heads; ++head) {
      const std::size_t at = (row * config_.kv_heads + head) * dim;
      Rotate(cosines, sines, dim, 1.0F, key_.data() + at);
      WriteKeyValue(kv_, page, head, positions_[row] % kPagePositions, key_.data() + at,
                    value_.data() + at);
    }
  });
}

void ForwardPass::Attend(const Batch& batch, std::size_t layer) {
  attention_.Run(batch.segments, {layer,
                                  config_.sliding[layer] ? config_.sliding_window
                                                         : std::numeric_limits<std::size_t>::max(),
                                  sinks_[layer].data(), query_.data(), context_.data(),
                                  RoundUp(config_.heads * config_.head_dim, kColumnQuantum)});
}

void ForwardPass::ProjectAttention(std::size_t layer) {
  const LayerWeights& weights = weights_.layers[layer];
  const LinearJob job = {&weights.output, &weights.output_bias, context_rows_, update_.data(),
                         config_.hidden};
  linear_.Run({&job, 1});
  ForRows([&](std::size_t row) {
    const std::size_t end = (row + 1) * config_.hidden;
    for (std::size_t i = row * config_.hidden; i < end; ++i) {
      residual_.data()[i] += update_.data()[i];
    }
    Normalize(row, expert_norms_[layer]);
  });
}

// Every expert takes all its tokens at once. A token's experts are added largest logit first.
void ForwardPass::MixExperts(std::size_t layer) {
  const LayerWeights& weights = weights_.layers[layer];
  const std::size_t hidden = config_.hidden;
  const LinearJob router = {&weights.router, &weights.router_bias, normed_rows_, router_.data(),
                            config_.experts};
  linear_.Run({&router, 1});
  const Routing routing = RouteTokens({router_.data(), rows_ * config_.experts}, config_.experts,
                                      config_.experts_per_token);
  const std::size_t slots = routing.rows.size();
  std::vector<const float*> inputs(slots);
  for (std::size_t slot = 0; slot < slots; ++slot) {
    inputs[slot] = normed_rows_[routing.rows[slot]];
  }
  const std::vector<const float*> inner = RowsOf(inner_, slots, config_.intermediate);
  std::vector<GateUpJob> first;
  std::vector<LinearJob> second;
  for (std::size_t e = 0; e < config_.experts; ++e) {
    const std::size_t begin = routing.begin[e];
    const std::size_t count = routing.begin[e + 1] - begin;
    if (count == 0) {
      continue;
    }
    const ExpertWeights& expert = weights.experts[e];
    first.push_back({&expert, std::span(inputs).subspan(begin, count),
                     inner_.data() + begin * config_.intermediate, config_.intermediate});
    second.push_back({&expert.down, &expert.down_bias, std::span(inner).subspan(begin, count),
                      outer_.data() + begin * hidden, hidden});
  }
  expert_reads_ += first.size();
  linear_.Run(first, config_.swiglu_alpha, config_.swiglu_limit);
  linear_.Run(second);
  ForRows([&](std::size_t row) {
    float* update = update_.data() + row * hidden;
    std::fill_n(update, hidden, 0.0F);
    for (std::size_t pair = row * routing.choices; pair < (row + 1) * routing.choices; ++pair) {
      const float* expert = outer_.data() + routing.slots[pair] * hidden;
      for (std::size_t i = 0; i < hidden; ++i) {
        update[i] += routing.weights[pair] * expert[i];
      }
    }
    for (std::size_t i = 0; i < hidden; ++i) {
      residual_.data()[row * hidden + i] += update[i];
    }
    if (layer + 1 < config_.layers) {
      Normalize(row, attention_norms_[layer + 1]);
    }
  });
}

// Behind the last layer's keys and values only rows matter whose logits are wanted: they move up.
void ForwardPass::KeepWanted(const Batch& batch) {
  const std::size_t context = RoundUp(config_.heads * config_.head_dim, kColumnQuantum);
  const auto move_up = [](AlignedFloats& numbers, std::size_t width, std::size_t from,
                          std::size_t to) {
    std::copy_n(numbers.data() + from * width, width, numbers.data() + to * width);
  };
  rows_ = 0;
  std::size_t last = places_.size();
  for (const WantedRow& wanted : batch.wanted) {
    if (wanted.row == last) {
      continue;
    }
    last = wanted.row;
    if (wanted.row != rows_) {
      move_up(residual_, config_.hidden, wanted.row, rows_);
      move_up(context_, context, wanted.row, rows_);
    }
    places_[wanted.row] = rows_++;
  }
  normed_rows_.resize(rows_);
  context_rows_.resize(rows_);
}

// Rows that ask for the same ids share the reading of their weights.
void ForwardPass::Unembed(const Batch& batch) {
  std::vector<std::vector<WantedRow>> groups;
  for (const WantedRow& wanted : batch.wanted) {
    auto group = std::ranges::find_if(groups, [&](const std::vector<WantedRow>& other) {
      return SameIds(other.front().ids, wanted.ids);
    });
    if (group == groups.end()) {
      group = groups.insert(groups.end(), std::vector<WantedRow>());
    }
    group->push_back(wanted);
  }
  for (const std::vector<WantedRow>& group : groups) {
    UnembedGroup(group);
  }
}

void ForwardPass::UnembedGroup(std::span<const WantedRow> group) {
  const std::span<const std::uint32_t> ids = group.front().ids;
  const std::size_t count = ids.empty() ? config_.vocabulary : ids.size();
  std::vector<const float*> rows;
  bool in_place = true;
  for (const WantedRow& wanted : group) {
    const std::size_t at = places_[wanted.row] * config_.hidden;
    float* normed = normed_.data() + at;
    kernels_.rms_norm(
        {residual_.data() + at, final_norm_.data(), config_.rms_epsilon, config_.hidden, normed});
    in_place = in_place && wanted.logits == group.front().logits + rows.size() * count;
    rows.push_back(normed);
  }
  if (!in_place) {
    logits_.Reserve(group.size() * count);
  }
  float* out = in_place ? group.front().logits : logits_.data();
  const LinearJob job = {&weights_.unembedding, nullptr, rows, out, count, ids};
  linear_.Run({&job, 1});
  for (std::size_t i = 0; !in_place && i < group.size(); ++i) {
    std::copy_n(out + i * count, count, group[i].logits);
  }
}

// ---- around the page ----

ForwardPass::ForwardPass(const GptOssConfig& config, const GptOssWeights& weights,
                         const KvShape& kv, const KernelTable& kernels, ThreadPool& pool,
                         const PackedWeights* packed, ActivationBits bits)
    : config_(config),
      weights_(weights),
      kernels_(kernels),
      pool_(pool),
      linear_(kernels, pool, packed, bits),
      attention_(config.heads, kv, kernels, pool),
      rope_(config.rope, config.head_dim),
      kv_(kv),
      final_norm_(Floats(weights.final_norm)) {
  for (const LayerWeights& layer : weights.layers) {
    attention_norms_.push_back(Floats(layer.attention_norm));
    expert_norms_.push_back(Floats(layer.expert_norm));
    sinks_.push_back(Floats(layer.sinks));
  }
}

void ForwardPass::Prepare(const Batch& batch) {
  rows_ = batch.tokens.size();
  const std::size_t width = config_.heads * config_.head_dim;
  const std::size_t padded = RoundUp(width, kColumnQuantum);
  const std::size_t slots = rows_ * config_.experts_per_token;
  residual_.Reserve(rows_ * config_.hidden);
  normed_.Reserve(rows_ * config_.hidden);
  query_.Reserve(rows_ * width);
  key_.Reserve(rows_ * config_.kv_heads * config_.head_dim);
  value_.Reserve(rows_ * config_.kv_heads * config_.head_dim);
  context_.Reserve(rows_ * padded);
  update_.Reserve(rows_ * config_.hidden);
  router_.Reserve(rows_ * config_.experts);
  inner_.Reserve(slots * config_.intermediate);
  outer_.Reserve(slots * config_.hidden);
  cosines_.Reserve(rows_ * (config_.head_dim / 2));
  sines_.Reserve(rows_ * (config_.head_dim / 2));
  normed_rows_ = RowsOf(normed_, rows_, config_.hidden);
  context_rows_ = RowsOf(context_, rows_, padded);
  places_.resize(rows_);
  std::iota(places_.begin(), places_.end(), std::size_t{0});
  positions_.resize(rows_);
  segments_.resize(rows_);
  for (std::size_t s = 0; s < batch.segments.size(); ++s) {
    const Segment& segment = batch.segments[s];
    for (std::size_t t = 0; t < segment.count; ++t) {
      positions_[segment.first_row + t] = segment.first_position + t;
      segments_[segment.first_row + t] = s;
    }
  }
  // Forks share the pages of all layers alike; those of a layer that slides may be gone.
  const auto full = std::ranges::find(config_.sliding, false) - config_.sliding.begin();
  attention_.Order(batch.segments, std::min(static_cast<std::size_t>(full), config_.layers - 1));
  ForRows([&](std::size_t row) {
    const std::size_t at = row * (config_.head_dim / 2);
    rope_.Angles(positions_[row], cosines_.data() + at, sines_.data() + at);
  });
}

void ForwardPass::ForRows(const std::function<void(std::size_t)>& body) {
  const std::size_t blocks = (rows_ + kRowsAtATime - 1) / kRowsAtATime;
  pool_.ParallelFor(blocks, [&](std::size_t block, std::size_t) {
    const std::size_t end = std::min(rows_, (block + 1) * kRowsAtATime);
    for (std::size_t row = block * kRowsAtATime; row < end; ++row) {
      body(row);
    }
  });
}

}  // namespace safeguard::engine::cpu
