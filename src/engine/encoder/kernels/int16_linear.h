// Linear layers in 16-bit integers, written once over a vector type (vector_math.h).
//
// Weights (per output and block of inputs) and activations (per row and block) are scaled to whole
// numbers of at most kLevels, some 12 bits and a sign. A block's products are summed exactly in
// 32 bits, then added to the result in binary32: one rounding per block, in rising order.
//
// Packed weights: for each panel of 2 * V::kWidth outputs, for each block, for each pair of inputs:
// the panel's outputs, two neighbouring inputs each. Then the scales: panel, block, output.
// Prepared rows: the row's whole numbers, then one scale a block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/encoder/kernels/kernel_table.h"

namespace safeguard::engine {

// The largest whole number such that a block's sum cannot leave 32 bits.
inline constexpr std::int64_t kLevels = 3344;
static_assert(std::int64_t{kInputBlock} * kLevels * kLevels < (std::int64_t{1} << 31));
// Below this magnitude a block counts as zero: its inverse scale would not be finite.
inline constexpr float kZeroBelow = 1e-35F;

constexpr std::size_t Int16PackedBytes(std::size_t outputs, std::size_t inputs) {
  return outputs * inputs * sizeof(std::int16_t) + outputs * InputBlocks(inputs) * sizeof(float);
}

constexpr std::size_t Int16RowBytes(std::size_t inputs) {
  return RoundUp(inputs * sizeof(std::int16_t) + InputBlocks(inputs) * sizeof(float), 64);
}

// Writes `count` whole numbers and returns what one step is worth.
template <class V>
float QuantiseBlock(const float* x, std::size_t count, std::int16_t* out) {
  typename V::Float largest = V::Zero();
  for (std::size_t i = 0; i < count; i += V::kWidth) {
    largest = V::Max(largest, V::Abs(V::Load(x + i)));
  }
  const float magnitude = V::Largest(largest);
  const bool zero = !(magnitude >= kZeroBelow);
  const float inverse = zero ? 0.0F : static_cast<float>(kLevels) / magnitude;
  const typename V::Float factor = V::Set(inverse);
  for (std::size_t i = 0; i < count; i += 2 * V::kWidth) {
    V::StoreInt16(out + i, V::RoundToInt(V::Mul(V::Load(x + i), factor)),
                  V::RoundToInt(V::Mul(V::Load(x + i + V::kWidth), factor)));
  }
  return zero ? 0.0F : magnitude / static_cast<float>(kLevels);
}

template <class V>
void Int16PackWeights(const PackTask& task) {
  constexpr std::size_t kPanel = 2 * V::kWidth;
  const std::size_t blocks = InputBlocks(task.inputs);
  auto* numbers = reinterpret_cast<std::int16_t*>(task.packed);
  auto* scales = reinterpret_cast<float*>(numbers + task.outputs * task.inputs);
  alignas(64) std::int16_t block_numbers[kInputBlock];
  for (std::size_t c = 0; c < task.count; ++c) {
    const std::size_t panel = (task.first + c) / kPanel;
    const std::size_t column = (task.first + c) % kPanel;
    for (std::size_t b = 0; b < blocks; ++b) {
      const std::size_t begin = b * kInputBlock;
      const std::size_t left = task.inputs - begin;
      const std::size_t count = left < kInputBlock ? left : kInputBlock;
      scales[(panel * blocks + b) * kPanel + column] =
          QuantiseBlock<V>(task.rows + c * task.inputs + begin, count, block_numbers);
      std::int16_t* out = numbers + panel * kPanel * task.inputs + begin * kPanel + 2 * column;
      for (std::size_t i = 0; i < count; i += 2) {
        std::memcpy(out + i * kPanel, block_numbers + i, 2 * sizeof(std::int16_t));
      }
    }
  }
}

template <class V>
void Int16PrepareRows(const PrepareTask& task) {
  const std::size_t row_bytes = Int16RowBytes(task.inputs);
  for (std::size_t r = 0; r < task.rows; ++r) {
    auto* numbers = reinterpret_cast<std::int16_t*>(task.prepared + r * row_bytes);
    auto* scales = reinterpret_cast<float*>(numbers + task.inputs);
    for (std::size_t begin = 0; begin < task.columns; begin += kInputBlock) {
      const std::size_t left = task.columns - begin;
      const std::size_t at = task.column_begin + begin;
      scales[at / kInputBlock] =
          QuantiseBlock<V>(task.x + r * task.x_stride + begin,
                           left < kInputBlock ? left : kInputBlock, numbers + at);
    }
  }
}

// One block of one panel, as the register tile reads it.
struct Int16Block {
  const std::int16_t* weights;
  const float* weight_scales;
  const std::byte* rows;  // at the block's first input of the tile's first row
  std::size_t row_bytes;
  std::ptrdiff_t scale_offset;  // bytes from `rows` to the row's scale of this block
  std::size_t pairs;
  const float* bias;  // added when not null (first block), else the sum so far is kept
  float* out;
  std::size_t out_stride;
};

template <class V, std::size_t kRows>
[[gnu::noinline]] void Int16Tile(const Int16Block& block) {
  typename V::Int sums[kRows][2];
#pragma GCC unroll 16
  for (std::size_t r = 0; r < kRows; ++r) {
    sums[r][0] = V::ZeroInt();
    sums[r][1] = V::ZeroInt();
  }
  const std::int16_t* weights = block.weights;
  const std::byte* rows = block.rows;
  const std::size_t row_bytes = block.row_bytes;
#pragma GCC unroll 4
  for (std::size_t pair = 0; pair < block.pairs; ++pair) {
    const typename V::Int weights0 = V::LoadInt(weights);
    const typename V::Int weights1 = V::LoadInt(weights + 2 * V::kWidth);
#pragma GCC unroll 16
    for (std::size_t r = 0; r < kRows; ++r) {
      const typename V::Int x = V::RepeatPair(rows + r * row_bytes);
      sums[r][0] = V::MulAddPairs(sums[r][0], x, weights0);
      sums[r][1] = V::MulAddPairs(sums[r][1], x, weights1);
    }
    weights += 4 * V::kWidth;
    rows += 2 * sizeof(std::int16_t);
  }
  const typename V::Float scales0 = V::Load(block.weight_scales);
  const typename V::Float scales1 = V::Load(block.weight_scales + V::kWidth);
#pragma GCC unroll 16
  for (std::size_t r = 0; r < kRows; ++r) {
    float step = 0;
    std::memcpy(&step, block.rows + r * row_bytes + block.scale_offset, sizeof step);
    const typename V::Float row_scale = V::Set(step);
    float* out = block.out + r * block.out_stride;
    const float* before = block.bias != nullptr ? block.bias : out;
    const typename V::Float before0 = V::Load(before);
    const typename V::Float before1 = V::Load(before + V::kWidth);
    V::Store(out, V::MulAdd(V::ToFloat(sums[r][0]), V::Mul(row_scale, scales0), before0));
    V::Store(out + V::kWidth,
             V::MulAdd(V::ToFloat(sums[r][1]), V::Mul(row_scale, scales1), before1));
  }
}

// The tile for the last `rows` < kRows rows.
template <class V, std::size_t kRows>
void Int16LastTile(const Int16Block& block, std::size_t rows) {
  if constexpr (kRows > 0) {
    if (rows == kRows) {
      Int16Tile<V, kRows>(block);
    } else {
      Int16LastTile<V, kRows - 1>(block, rows);
    }
  }
}

template <class V, std::size_t kRows>
void Int16Multiply(const MultiplyTask& task) {
  constexpr std::size_t kPanel = 2 * V::kWidth;
  const std::size_t blocks = InputBlocks(task.inputs);
  const auto* numbers = reinterpret_cast<const std::int16_t*>(task.weights);
  const auto* scales = reinterpret_cast<const float*>(numbers + task.outputs * task.inputs);
  const std::size_t row_bytes = Int16RowBytes(task.inputs);
  for (std::size_t column = task.column_begin; column < task.column_end; column += kPanel) {
    const std::size_t panel = column / kPanel;
    for (std::size_t b = 0; b < blocks; ++b) {
      const std::size_t begin = b * kInputBlock;
      const std::size_t left = task.inputs - begin;
      Int16Block block{};
      block.weights = numbers + panel * kPanel * task.inputs + begin * kPanel;
      block.weight_scales = scales + (panel * blocks + b) * kPanel;
      block.rows = task.prepared + begin * sizeof(std::int16_t);
      block.row_bytes = row_bytes;
      block.scale_offset = static_cast<std::ptrdiff_t>(
          (task.inputs - begin) * sizeof(std::int16_t) + b * sizeof(float));
      block.pairs = (left < kInputBlock ? left : kInputBlock) / 2;
      block.bias = b == 0 ? task.bias + column : nullptr;
      block.out = task.out + (column - task.column_begin);
      block.out_stride = task.out_stride;
      std::size_t row = 0;
      for (; row + kRows <= task.rows; row += kRows) {
        Int16Tile<V, kRows>(block);
        block.rows += kRows * row_bytes;
        block.out += kRows * task.out_stride;
      }
      Int16LastTile<V, kRows - 1>(block, task.rows - row);
    }
  }
}

}  // namespace safeguard::engine
