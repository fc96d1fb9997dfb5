// What the kernels mean, in plain C++: binary32 storage, sums in binary32 over inputs in rising
// order (linear layers) or in binary64.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "engine/encoder/kernels/kernel_table.h"

namespace safeguard::engine {
namespace {

bool Supported() {
  return true;
}

std::size_t PackedBytes(std::size_t outputs, std::size_t inputs, InputKind /*kind*/) {
  return outputs * inputs * sizeof(float);
}

// Input-major, so that the inner loop of Multiply runs over outputs.
void PackWeights(const PackTask& task) {
  float* packed = reinterpret_cast<float*>(task.packed);
  for (std::size_t i = 0; i < task.inputs; ++i) {
    for (std::size_t c = 0; c < task.count; ++c) {
      packed[i * task.outputs + task.first + c] = task.rows[c * task.inputs + i];
    }
  }
}

std::size_t PreparedBytes(std::size_t rows, std::size_t inputs, InputKind /*kind*/) {
  return rows * inputs * sizeof(float);
}

void PrepareRows(const PrepareTask& task) {
  float* prepared = reinterpret_cast<float*>(task.prepared) + task.column_begin;
  for (std::size_t r = 0; r < task.rows; ++r) {
    std::memcpy(prepared + r * task.inputs, task.x + r * task.x_stride,
                task.columns * sizeof(float));
  }
}

void Multiply(const MultiplyTask& task) {
  const float* weights = reinterpret_cast<const float*>(task.weights);
  const float* x = reinterpret_cast<const float*>(task.prepared);
  const std::size_t columns = task.column_end - task.column_begin;
  for (std::size_t r = 0; r < task.rows; ++r) {
    float* out = task.out + r * task.out_stride;
    std::copy_n(task.bias + task.column_begin, columns, out);
    for (std::size_t i = 0; i < task.inputs; ++i) {
      const float factor = x[r * task.inputs + i];
      const float* w = weights + i * task.outputs + task.column_begin;
      for (std::size_t c = 0; c < columns; ++c) {
        out[c] += factor * w[c];
      }
    }
  }
}

double Dot(const float* a, const float* b, std::size_t count) {
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    sum += double{a[i]} * double{b[i]};
  }
  return sum;
}

void Attention(const AttentionTask& task) {
  const double scale = 1 / std::sqrt(static_cast<double>(task.head));
  float* weights = task.scratch;
  for (std::size_t q = 0; q < task.queries; ++q) {
    double largest = -HUGE_VAL;
    for (std::size_t k = 0; k < task.tokens; ++k) {
      const double score =
          scale * Dot(task.query + q * task.stride, task.key + k * task.stride, task.head);
      weights[k] = static_cast<float>(score);
      largest = std::max(largest, double{weights[k]});
    }
    double total = 0;
    for (std::size_t k = 0; k < task.tokens; ++k) {
      weights[k] = static_cast<float>(std::exp(double{weights[k]} - largest));
      total += double{weights[k]};
    }
    for (std::size_t d = 0; d < task.head; ++d) {
      double sum = 0;
      for (std::size_t k = 0; k < task.tokens; ++k) {
        sum += double{weights[k]} * double{task.value[k * task.stride + d]};
      }
      task.out[q * task.out_stride + d] = static_cast<float>(sum / total);
    }
  }
}

void AddLayerNorm(const LayerNormTask& task) {
  const auto width = static_cast<double>(task.width);
  for (std::size_t r = 0; r < task.rows; ++r) {
    const float* a = task.a + r * task.width;
    const float* b = task.b + r * task.width;
    float* out = task.out + r * task.width;
    double mean = 0;
    for (std::size_t i = 0; i < task.width; ++i) {
      out[i] = a[i] + b[i];
      mean += double{out[i]};
    }
    mean /= width;
    double variance = 0;
    for (std::size_t i = 0; i < task.width; ++i) {
      variance += (double{out[i]} - mean) * (double{out[i]} - mean);
    }
    const double inverse = 1 / std::sqrt(variance / width + double{task.epsilon});
    for (std::size_t i = 0; i < task.width; ++i) {
      out[i] = static_cast<float>((double{out[i]} - mean) * inverse * double{task.weight[i]} +
                                  double{task.bias[i]});
    }
  }
}

void Gelu(float* x, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const double value = double{x[i]};
    x[i] = static_cast<float>(0.5 * value * std::erfc(-value * M_SQRT1_2));
  }
}

void PrepareGelu(const PrepareTask& task) {
  for (std::size_t r = 0; r < task.rows; ++r) {
    Gelu(task.x + r * task.x_stride, task.columns);
  }
  PrepareRows(task);
}

float WidenOne(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000U) << 16;
  const std::uint32_t exponent = (half >> 10) & 31U;
  const std::uint32_t fraction = half & 0x3FFU;
  if (exponent == 0) {  // zero or subnormal: fraction * 2^-24
    const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
    return sign != 0 ? -magnitude : magnitude;
  }
  const std::uint32_t wide = exponent == 31 ? 255U : exponent + 112U;
  return std::bit_cast<float>(sign | (wide << 23) | (fraction << 13));
}

void WidenF16(const std::byte* from, std::size_t count, float* to) {
  for (std::size_t i = 0; i < count; ++i) {
    std::uint16_t half = 0;
    std::memcpy(&half, from + 2 * i, sizeof half);
    to[i] = WidenOne(half);
  }
}

}  // namespace

const KernelTable kReferenceKernels = {
    .name = "reference",
    .precision = Precision::kFull,
    .supported = Supported,
    .row_quantum = 1,
    .inner_block = kInputBlock,
    .sorts_channels = false,
    .packed_bytes = PackedBytes,
    .pack_weights = PackWeights,
    .prepared_bytes = PreparedBytes,
    .prepare_rows = PrepareRows,
    .prepare_gelu = PrepareGelu,
    .multiply = Multiply,
    .attention = Attention,
    .add_layer_norm = AddLayerNorm,
    .gelu = Gelu,
    .widen_f16 = WidenF16,
};

}  // namespace safeguard::engine
