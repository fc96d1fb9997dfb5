// What the kernels mean, in plain C++: scalar binary32, sums over inputs in rising order.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "engine/cpu/kernels/kernel_table.h"
#include "engine/cpu/kernels/reference/packed.h"
#include "engine/model/dequantize.h"

namespace safeguard::engine::cpu {
namespace {

bool Supported() {
  return true;
}

// The row as a matrix of one.
MatrixView RowView(const WeightLayout& layout, const WeightRow& row) {
  MatrixView view;
  view.type = layout.type;
  view.rows = 1;
  view.columns = layout.columns;
  view.data = row.data;
  view.mxfp4 = {row.data, row.scales, layout.code_stride, layout.scale_stride, 0, 0, layout.order};
  return view;
}

void Linear(const LinearTask& task) {
  std::vector<float> weights(task.layout.columns);
  for (std::size_t o = 0; o < task.outputs; ++o) {
    DequantizeRow(RowView(task.layout, task.weights[o]), 0, 0, weights);
    for (std::size_t r = 0; r < task.rows; ++r) {
      float sum = 0;
      for (std::size_t k = 0; k < weights.size(); ++k) {
        sum += task.x[r][k] * weights[k];
      }
      task.out[r * task.out_stride + o] = sum + (task.bias == nullptr ? 0.0F : task.bias[o]);
    }
  }
}

float KvValue(KvType type, const std::byte* from, std::size_t index) {
  if (type == KvType::kF32) {
    float value = 0;
    std::memcpy(&value, from + 4 * index, sizeof value);
    return value;
  }
  std::uint16_t bits = 0;
  std::memcpy(&bits, from + 2 * index, sizeof bits);
  return type == KvType::kF16 ? Float16Value(bits)
                              : std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

// The page that holds a row's `position`.
const std::byte* PageOf(const AttentionTask& task, std::size_t row, std::size_t position) {
  for (std::size_t v = 0; v < task.visit_count; ++v) {
    const PageVisit& visit = task.visits[v];
    if (visit.index == position / kPagePositions && row >= visit.first_row &&
        row < visit.first_row + visit.rows) {
      return visit.page;
    }
  }
  return nullptr;
}

float Score(const AttentionTask& task, const float* query, const std::byte* page,
            std::size_t slot) {
  float sum = 0;
  for (std::size_t d = 0; d < task.head_dim; ++d) {
    sum += query[d] * KvValue(task.type, page, KvKeyIndex(task.type, d, slot));
  }
  return sum;
}

void AddValue(const AttentionTask& task, const std::byte* page, std::size_t slot, float weight,
              float* sums) {
  const std::byte* values = page + KvKeyBytes(task.head_dim, task.type);
  const std::size_t padded = RoundUp(task.head_dim, kHeadQuantum);
  for (std::size_t d = 0; d < task.head_dim; ++d) {
    sums[d] += weight * KvValue(task.type, values, KvValueIndex(task.type, padded, slot, d));
  }
}

// Two passes over the keys: all scores, then all values.
void Attention(const AttentionTask& task) {
  std::vector<float> scores;
  for (std::size_t r = 0; r < task.row_count; ++r) {
    const AttentionRow& row = task.rows[r];
    const std::size_t first = row.position + 1 < task.window ? 0 : row.position + 1 - task.window;
    scores.clear();
    float largest = row.sink;
    const std::byte* page = nullptr;
    for (std::size_t key = first; key <= row.position; ++key) {
      if (page == nullptr || key % kPagePositions == 0) {
        page = PageOf(task, r, key);
      }
      scores.push_back(Score(task, row.query, page, key % kPagePositions));
      largest = std::max(largest, scores.back());
    }
    float denominator = std::exp(row.sink - largest);
    std::fill_n(row.out, task.head_dim, 0.0F);
    page = nullptr;
    for (std::size_t key = first; key <= row.position; ++key) {
      if (page == nullptr || key % kPagePositions == 0) {
        page = PageOf(task, r, key);
      }
      const float weight = std::exp(scores[key - first] - largest);
      denominator += weight;
      AddValue(task, page, key % kPagePositions, weight, row.out);
    }
    for (std::size_t d = 0; d < task.head_dim; ++d) {
      row.out[d] /= denominator;
    }
  }
}

void RmsNorm(const NormTask& task) {
  float sum = 0;
  for (std::size_t i = 0; i < task.width; ++i) {
    sum += task.x[i] * task.x[i];
  }
  const float inverse = 1.0F / std::sqrt(sum / static_cast<float>(task.width) + task.epsilon);
  for (std::size_t i = 0; i < task.width; ++i) {
    task.out[i] = task.x[i] * inverse * task.weight[i];
  }
}

void Swiglu(const SwigluTask& task) {
  for (std::size_t i = 0; i < task.count; ++i) {
    const float gate = std::min(task.pairs[2 * i], task.limit);
    const float up = std::clamp(task.pairs[2 * i + 1], -task.limit, task.limit);
    task.out[i] = gate / (1.0F + std::exp(-task.alpha * gate)) * (up + 1.0F);
  }
}

}  // namespace

const KernelTable kReferenceKernels = {
    .name = "reference",
    .supported = Supported,
    .linear = Linear,
    .attention = Attention,
    .rms_norm = RmsNorm,
    .swiglu = Swiglu,
    .prepare = ReferencePrepare,
    .packed_linear = ReferencePackedLinear,
};

}  // namespace safeguard::engine::cpu
