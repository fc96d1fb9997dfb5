// Linear layers in 8-bit integers, written once over a vector type of 16 lanes (int8_layout.h says
// where things stand).
//
// Weights are signed, w ~ scale * q with |q| <= 127. Activations are unsigned: hidden states and
// contexts x ~ scale * (q - 128), the inner layer's GELU x ~ scale * q + kGeluFloor, which spends
// no code on numbers that a GELU never gives. The shift by 128 is undone in the sum's start value,
// that by kGeluFloor in the layer's bias. A block's products are summed exactly in 32 bits and then
// added to the result in binary32, in rising order. Everything but the layer norms is therefore the
// same bits on every instruction set, and with 16 lanes everywhere those are too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/encoder/kernels/int8_layout.h"
#include "engine/encoder/kernels/kernel_table.h"

namespace safeguard::engine {

// Below this magnitude a block counts as zero: its inverse scale would not be finite.
inline constexpr float kInt8ZeroBelow = 1e-35F;
inline constexpr std::size_t kCacheLine = 64;
// Below every GELU (-0.16997) by more than this table's GELU is wrong.
inline constexpr float kGeluFloor = -0.1705F;

template <class V>
[[gnu::always_inline]] inline float LargestMagnitude(const float* x, std::size_t count) {
  typename V::Float largest = V::Abs(V::Load(x));
  for (std::size_t i = V::kWidth; i < count; i += V::kWidth) {
    largest = V::Max(largest, V::Abs(V::Load(x + i)));
  }
  const float magnitude = V::Largest(largest);
  return magnitude >= kInt8ZeroBelow ? magnitude : 0.0F;
}

// Writes `count` numbers as round(127 * x / largest) + 128 and returns what one step is worth.
template <class V>
[[gnu::always_inline]] inline float QuantiseBytes(const float* x, std::size_t count,
                                                  std::uint8_t* out) {
  const float magnitude = LargestMagnitude<V>(x, count);
  const typename V::Float factor = V::Set(magnitude > 0 ? 127.0F / magnitude : 0.0F);
  const typename V::Float shift = V::Set(128.0F);
  for (std::size_t i = 0; i < count; i += V::kWidth) {
    V::StoreBytes(out + i, V::RoundToInt(V::MulAdd(V::Load(x + i), factor, shift)));
  }
  return magnitude / 127.0F;
}

// One output's weights of one block into its places in the panel. Returns the sum of the whole
// numbers; what one step is worth goes to `scale`.
template <class V, std::size_t kPanel>
std::int32_t PackBlock(const float* weights, std::size_t count, std::byte* panel, float& scale) {
  const float magnitude = LargestMagnitude<V>(weights, count);
  const typename V::Float factor = V::Set(magnitude > 0 ? 127.0F / magnitude : 0.0F);
  scale = magnitude / 127.0F;
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < count; i += V::kWidth) {
    std::uint8_t numbers[V::kWidth];
    V::StoreBytes(numbers, V::RoundToInt(V::Mul(V::Load(weights + i), factor)));
    for (std::size_t quad = 0; quad < V::kWidth; quad += 4) {
      std::memcpy(panel + (i + quad) * kPanel, numbers + quad, 4);
    }
    for (const std::uint8_t number : numbers) {
      sum += static_cast<std::int8_t>(number);
    }
  }
  return sum;
}

template <class V, std::size_t kVectors>
void Int8PackWeights(const PackTask& task) {
  constexpr std::size_t kPanel = kVectors * V::kWidth;
  std::byte* starts = task.packed + task.outputs * task.inputs;
  std::byte* scales =
      starts + task.outputs * Int8Blocks(task.kind, task.inputs) * sizeof(std::int32_t);
  const bool gelu = task.kind == InputKind::kInner;
  for (std::size_t c = 0; c < task.count; ++c) {
    const std::size_t output = task.first + c;
    std::byte* panel = task.packed + output / kPanel * kPanel * task.inputs + output % kPanel * 4;
    std::size_t block = 0;
    for (std::size_t begin = 0; begin < task.inputs; ++block) {
      const std::size_t end = Int8BlockEnd(task.kind, task.inputs, begin);
      float scale = 0;
      const std::int32_t sum = PackBlock<V, kPanel>(task.rows + c * task.inputs + begin,
                                                    end - begin, panel + begin * kPanel, scale);
      const std::int32_t start = gelu ? 0 : -128 * sum;
      std::memcpy(starts + (block * task.outputs + output) * sizeof start, &start, sizeof start);
      std::memcpy(scales + (block * task.outputs + output) * sizeof scale, &scale, sizeof scale);
      if (gelu) {
        task.bias[c] += kGeluFloor * scale * static_cast<float>(sum);
      }
      begin = end;
    }
  }
}

template <class V>
void Int8PrepareRows(const PrepareTask& task) {
  const std::size_t row_bytes = Int8RowBytes(task.inputs, task.kind);
  for (std::size_t r = 0; r < task.rows; ++r) {
    const float* x = task.x + r * task.x_stride;
    std::byte* row = task.prepared + r * row_bytes;
    std::byte* scales = row + task.inputs;
    for (std::size_t begin = 0; begin < task.inputs; scales += sizeof(float)) {
      const std::size_t end = Int8BlockEnd(task.kind, task.inputs, begin);
      const float scale =
          QuantiseBytes<V>(x + begin, end - begin, reinterpret_cast<std::uint8_t*>(row + begin));
      std::memcpy(scales, &scale, sizeof scale);
      begin = end;
    }
  }
}

// x * Phi(x) with Phi(x) = 1/2 + u P(u^2), u = x cut at -4 and 4; P of degree 6, a least-squares
// fit reweighted to a nearly even error: 2.2e-4 at most. Far below a step of what it is rounded to.
template <class V>
[[gnu::always_inline]] inline typename V::Float Int8GeluOf(typename V::Float x) {
  x = V::Max(x, V::Set(-4.0F));  // where the GELU is as good as zero
  const typename V::Float u = V::Min(x, V::Set(4.0F));
  const typename V::Float t = V::Mul(u, u);
  typename V::Float p = V::Set(2.25878982e-08F);
  p = V::MulAdd(p, t, V::Set(-1.58881013e-06F));
  p = V::MulAdd(p, t, V::Set(4.77635246e-05F));
  p = V::MulAdd(p, t, V::Set(-8.12183721e-04F));
  p = V::MulAdd(p, t, V::Set(8.76367165e-03F));
  p = V::MulAdd(p, t, V::Set(-6.45543676e-02F));
  p = V::MulAdd(p, t, V::Set(3.97870234e-01F));
  return V::Mul(x, V::MulAdd(p, u, V::Set(0.5F)));
}

template <class V>
void Int8Gelu(float* x, std::size_t count) {
  for (std::size_t i = 0; i < count; i += V::kWidth) {
    V::Store(x + i, Int8GeluOf<V>(V::Load(x + i)));
  }
}

// One block of inner columns: GELU and rounding in one pass. gelu(x) <= max(x, 0) bounds the codes.
template <class V>
void Int8PrepareGelu(const PrepareTask& task) {
  const std::size_t row_bytes = Int8RowBytes(task.inputs, task.kind);
  const std::size_t block = task.column_begin / kInt8InnerBlock;
  for (std::size_t r = 0; r < task.rows; ++r) {
    const float* x = task.x + r * task.x_stride;
    std::byte* row = task.prepared + r * row_bytes;
    auto* out = reinterpret_cast<std::uint8_t*>(row + task.column_begin);
    typename V::Float largest = V::Zero();
    for (std::size_t i = 0; i < task.columns; i += V::kWidth) {
      largest = V::Max(largest, V::Load(x + i));
    }
    const float range = V::Largest(largest) - kGeluFloor;
    const typename V::Float factor = V::Set(255.0F / range);
    const typename V::Float shift = V::Set(-kGeluFloor * (255.0F / range));
    for (std::size_t i = 0; i < task.columns; i += V::kWidth) {
      const typename V::Float gelu = Int8GeluOf<V>(V::Load(x + i));
      V::StoreBytes(out + i, V::RoundToInt(V::MulAdd(gelu, factor, shift)));
    }
    const float scale = range / 255.0F;
    std::memcpy(row + task.inputs + block * sizeof scale, &scale, sizeof scale);
  }
}

// One block of one panel, as the register tile reads it.
struct Int8Block {
  const std::int8_t* weights;
  const std::int32_t* starts;
  const float* weight_scales;
  const std::byte* rows;  // at the block's first input of the tile's first row
  std::size_t row_bytes;
  std::ptrdiff_t scale_offset;  // bytes from `rows` to the row's scale of this block
  std::size_t quads;
  const float* bias;  // added when not null (first block), else the sum so far is kept
  float* out;
  std::size_t out_stride;
};

template <class V, std::size_t kRows, std::size_t kVectors>
[[gnu::noinline]] void Int8Tile(const Int8Block& block) {
  typename V::Int sums[kRows][kVectors];
#pragma GCC unroll 16
  for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
    for (std::size_t v = 0; v < kVectors; ++v) {
      sums[r][v] = V::LoadInt(block.starts + v * V::kWidth);
    }
  }
  const std::int8_t* weights = block.weights;
  // Of every third row: the others are one and two times `row_bytes` away, which an address can say
  // without a register of its own.
  const std::byte* rows[(kRows + 2) / 3];
  const std::size_t row_bytes = block.row_bytes;
#pragma GCC unroll 4
  for (std::size_t third = 0; third < (kRows + 2) / 3; ++third) {
    rows[third] = block.rows + 3 * third * row_bytes;
  }
  for (std::size_t quad = 0; quad < block.quads; ++quad) {
    typename V::Weights w[kVectors];
#pragma GCC unroll 2
    for (std::size_t v = 0; v < kVectors; ++v) {
      w[v] = V::LoadWeights(weights + v * 4 * V::kWidth);
    }
#pragma GCC unroll 16
    for (std::size_t r = 0; r < kRows; ++r) {
      const typename V::Quad x = V::RepeatQuad(rows[r / 3] + r % 3 * row_bytes);
#pragma GCC unroll 2
      for (std::size_t v = 0; v < kVectors; ++v) {
        sums[r][v] = V::Dot(sums[r][v], x, w[v]);
      }
    }
#pragma GCC unroll 4
    for (const std::byte*& third : rows) {
      third += 4;
    }
    weights += kVectors * 4 * V::kWidth;
  }
#pragma GCC unroll 16
  for (std::size_t r = 0; r < kRows; ++r) {
    float step = 0;
    std::memcpy(&step, block.rows + r * row_bytes + block.scale_offset, sizeof step);
    float* out = block.out + r * block.out_stride;
    const float* before = block.bias != nullptr ? block.bias : out;
#pragma GCC unroll 2
    for (std::size_t v = 0; v < kVectors; ++v) {
      const typename V::Float scale =
          V::Mul(V::Set(step), V::Load(block.weight_scales + v * V::kWidth));
      V::Store(out + v * V::kWidth,
               V::MulAdd(V::ToFloat(sums[r][v]), scale, V::Load(before + v * V::kWidth)));
    }
  }
}

// The tile for the last `rows` < kRows rows.
template <class V, std::size_t kRows, std::size_t kVectors>
void Int8LastTile(const Int8Block& block, std::size_t rows) {
  if constexpr (kRows > 0) {
    if (rows == kRows) {
      Int8Tile<V, kRows, kVectors>(block);
    } else {
      Int8LastTile<V, kRows - 1, kVectors>(block, rows);
    }
  }
}

template <class V, std::size_t kRows, std::size_t kVectors>
void Int8Multiply(const MultiplyTask& task) {
  constexpr std::size_t kPanel = kVectors * V::kWidth;
  const Int8Weights weights = Int8WeightsOf(task.weights, task.outputs, task.inputs, task.kind);
  const std::size_t row_bytes = Int8RowBytes(task.inputs, task.kind);
  const std::int8_t* numbers_end = weights.numbers + task.outputs * task.inputs;
  for (std::size_t column = task.column_begin; column < task.column_end; column += kPanel) {
    std::size_t index = 0;
    for (std::size_t begin = 0; begin < task.inputs; ++index) {
      const std::size_t end = Int8BlockEnd(task.kind, task.inputs, begin);
      Int8Block block{};
      block.weights = weights.numbers + column * task.inputs + begin * kPanel;
      block.starts = weights.starts + index * task.outputs + column;
      block.weight_scales = weights.scales + index * task.outputs + column;
      block.rows = task.prepared + begin;
      block.row_bytes = row_bytes;
      block.scale_offset = static_cast<std::ptrdiff_t>(task.inputs - begin + index * sizeof(float));
      block.quads = (end - begin) / 4;
      block.bias = index == 0 ? task.bias + column : nullptr;
      block.out = task.out + (column - task.column_begin);
      block.out_stride = task.out_stride;
      // What stands behind this block is multiplied next: each tile fetches its share of it.
      const std::size_t bytes = (end - begin) * kPanel;
      const std::size_t share = RoundUp(bytes / (task.rows / kRows + 1), kCacheLine);
      const std::int8_t* ahead = block.weights + bytes;
      std::size_t row = 0;
      for (; row + kRows <= task.rows; row += kRows) {
        for (std::size_t line = 0; line < share && ahead < numbers_end; line += kCacheLine) {
          __builtin_prefetch(ahead, 0, 2);
          ahead += kCacheLine;
        }
        Int8Tile<V, kRows, kVectors>(block);
        block.rows += kRows * row_bytes;
        block.out += kRows * task.out_stride;
      }
      Int8LastTile<V, kRows - 1, kVectors>(block, task.rows - row);
      begin = end;
    }
  }
}

}  // namespace safeguard::engine
