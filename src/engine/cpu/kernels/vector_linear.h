// Linear layers over binary32 activations and weights of any type, written once over a vector type
// (vector_math.h).
//
// One order of summing for every shape: lane l of a sum takes the columns k = l mod kWidth, rising,
// in one chain of fused multiply-adds; then the lanes are added. With few rows the weights are
// unpacked in registers and used at once (Fused): the speed of memory. With many rows a tile of
// outputs is unpacked into the cache first and multiplied in register tiles (Tiled). Both give the
// same bits.
#pragma once

#include <cstddef>

#include "engine/cpu/kernels/kernel_table.h"
#include "engine/cpu/kernels/weight_readers.h"

namespace safeguard::engine::cpu {

// The last, partial block of a row, filled up with zeros. Types of whole blocks have none.
template <class V, class Reader>
[[gnu::noinline]] void ReadTail(const WeightRow& row, const WeightLayout& layout,
                                typename V::Float* out) {
  std::byte bytes[kReadBlock * 4] = {};
  const std::size_t block = layout.columns / kReadBlock;
  __builtin_memcpy(bytes, row.data + block * kReadBlock * Reader::kBytes,
                   layout.columns % kReadBlock * Reader::kBytes);
  Reader::Read({bytes, nullptr}, layout, 0, out);
}

// One block of kRows x kOutputs sums.
template <class V, std::size_t kRows, std::size_t kOutputs>
struct Sums {
  typename V::Float at[kRows][kOutputs];

  [[gnu::always_inline]] void Clear() {
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
      for (std::size_t o = 0; o < kOutputs; ++o) {
        at[r][o] = V::Zero();
      }
    }
  }
};

inline constexpr std::size_t kFusedOutputs = 4;

// Adds one block of columns of output `o`.
template <class V, std::size_t kRows>
[[gnu::always_inline]] inline void AddBlock(Sums<V, kRows, kFusedOutputs>& sums, std::size_t o,
                                            const typename V::Float* weights, const float* const* x,
                                            std::size_t column) {
#pragma GCC unroll 4
  for (std::size_t v = 0; v < kBlockVectors<V>; ++v) {
#pragma GCC unroll 4
    for (std::size_t r = 0; r < kRows; ++r) {
      sums.at[r][o] = V::MulAdd(V::Load(x[r] + column + v * V::kWidth), weights[v], sums.at[r][o]);
    }
  }
}

// Outputs [first, first + kFusedOutputs) of `kRows` rows; those behind the last are not written.
template <class V, class Reader, std::size_t kRows>
void Fused(const LinearTask& task, std::size_t first) {
  const float* x[kRows];
  for (std::size_t r = 0; r < kRows; ++r) {
    x[r] = task.x[r];
  }
  // Rows are too short for a processor to notice a stream, so the next ones are asked for ahead.
  WeightRow rows[kFusedOutputs];
  WeightRow next[kFusedOutputs];
  for (std::size_t o = 0; o < kFusedOutputs; ++o) {
    const std::size_t row = first + o;
    const std::size_t later = row + kFusedOutputs;
    rows[o] = task.weights[row < task.outputs ? row : task.outputs - 1];
    next[o] = task.weights[later < task.outputs ? later : task.outputs - 1];
    if (task.layout.type == WeightType::kMxfp4) {
      V::Prefetch(next[o].scales);
      V::Prefetch(next[o].scales + 64 * task.layout.scale_stride);
    }
  }
  Sums<V, kRows, kFusedOutputs> sums;
  sums.Clear();
  typename V::Float weights[kBlockVectors<V>];
  const WeightLayout layout = task.layout;
  const std::size_t blocks = layout.columns / kReadBlock;
  for (std::size_t block = 0; block < blocks; ++block) {
#pragma GCC unroll 4
    for (std::size_t o = 0; o < kFusedOutputs; ++o) {
      V::Prefetch(Reader::At(next[o], layout, block));
      Reader::Read(rows[o], layout, block, weights);
      AddBlock<V, kRows>(sums, o, weights, x, block * kReadBlock);
    }
  }
  if constexpr (Reader::kBytes != 0) {
    if (layout.columns % kReadBlock != 0) {
#pragma GCC unroll 4
      for (std::size_t o = 0; o < kFusedOutputs; ++o) {
        ReadTail<V, Reader>(rows[o], layout, weights);
        AddBlock<V, kRows>(sums, o, weights, x, blocks * kReadBlock);
      }
    }
  }
#pragma GCC unroll 4
  for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (std::size_t o = 0; o < kFusedOutputs; ++o) {
      const float total = V::Total(sums.at[r][o]);
      if (first + o < task.outputs) {
        const float bias = task.bias == nullptr ? 0.0F : task.bias[first + o];
        task.out[r * task.out_stride + first + o] = total + bias;
      }
    }
  }
}

template <class V, class Reader>
void FusedRows(const LinearTask& task) {
  for (std::size_t first = 0; first < task.outputs; first += kFusedOutputs) {
    switch (task.rows) {
      case 1:
        Fused<V, Reader, 1>(task, first);
        break;
      case 2:
        Fused<V, Reader, 2>(task, first);
        break;
      case 3:
        Fused < V, Reader, V::kFusedRows<3 ? 1 : 3>(task, first);
        break;
      default:
        Fused < V, Reader, V::kFusedRows<4 ? 1 : 4>(task, first);
    }
  }
}

// tile[o * stride + k] for `count` outputs from `first`; the last output again behind the end.
template <class V, class Reader>
void Unpack(const LinearTask& task, std::size_t first, std::size_t count, std::size_t stride,
            float* tile) {
  typename V::Float weights[kBlockVectors<V>];
  const std::size_t blocks = task.layout.columns / kReadBlock;
  for (std::size_t o = 0; o < count; ++o) {
    const WeightRow row = task.weights[first + o < task.outputs ? first + o : task.outputs - 1];
    float* to = tile + o * stride;
    const auto store = [&](std::size_t block) {
#pragma GCC unroll 4
      for (std::size_t v = 0; v < kBlockVectors<V>; ++v) {
        V::Store(to + block * kReadBlock + v * V::kWidth, weights[v]);
      }
    };
    for (std::size_t block = 0; block < blocks; ++block) {
      Reader::Read(row, task.layout, block, weights);
      store(block);
    }
    if constexpr (Reader::kBytes != 0) {
      if (task.layout.columns % kReadBlock != 0) {
        ReadTail<V, Reader>(row, task.layout, weights);
        store(blocks);
      }
    }
  }
}

// partial += columns [begin, end) of kRows rows times kTileOutputs unpacked rows of weights.
template <class V, std::size_t kRows>
void Micro(const float* const* rows, const float* tile, std::size_t stride, std::size_t begin,
           std::size_t end, float* partial) {
  constexpr std::size_t kOutputs = V::kTileOutputs;
  const float* x[kRows];
#pragma GCC unroll 4
  for (std::size_t r = 0; r < kRows; ++r) {
    x[r] = rows[r];
  }
  Sums<V, kRows, kOutputs> sums;
  if (begin == 0) {
    sums.Clear();
  } else {
#pragma GCC unroll 4
    for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
      for (std::size_t o = 0; o < kOutputs; ++o) {
        sums.at[r][o] = V::Load(partial + (r * kOutputs + o) * V::kWidth);
      }
    }
  }
  for (std::size_t k = begin; k < end; k += V::kWidth) {
    typename V::Float values[kRows];
#pragma GCC unroll 4
    for (std::size_t r = 0; r < kRows; ++r) {
      values[r] = V::Load(x[r] + k);
    }
#pragma GCC unroll 8
    for (std::size_t o = 0; o < kOutputs; ++o) {
      const typename V::Float weights = V::Load(tile + o * stride + k);
#pragma GCC unroll 4
      for (std::size_t r = 0; r < kRows; ++r) {
        sums.at[r][o] = V::MulAdd(values[r], weights, sums.at[r][o]);
      }
    }
  }
#pragma GCC unroll 4
  for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (std::size_t o = 0; o < kOutputs; ++o) {
      V::Store(partial + (r * kOutputs + o) * V::kWidth, sums.at[r][o]);
    }
  }
}

template <class V>
void MicroRows(std::size_t rows, const float* const* x, const float* tile, std::size_t stride,
               std::size_t begin, std::size_t end, float* partial) {
  switch (rows) {
    case 1:
      Micro<V, 1>(x, tile, stride, begin, end, partial);
      break;
    case 2:
      Micro<V, 2>(x, tile, stride, begin, end, partial);
      break;
    case 3:
      Micro<V, 3>(x, tile, stride, begin, end, partial);
      break;
    default:
      Micro<V, V::kTileRows>(x, tile, stride, begin, end, partial);
  }
}

// kTileOutputs outputs, from `first`, of the rows [row, row + rows), rows <= kLinearRowBlock.
template <class V>
void TileOfRows(const LinearTask& task, std::size_t first, std::size_t row, std::size_t rows,
                const float* tile, std::size_t stride, float* partial) {
  constexpr std::size_t kOutputs = V::kTileOutputs;
  constexpr std::size_t kPanel = V::kTileRows * kOutputs * V::kWidth;
  // This many columns of the tile and of a panel of rows fit the L1 cache together.
  constexpr std::size_t kColumns = 768;
  for (std::size_t begin = 0; begin < stride; begin += kColumns) {
    const std::size_t end = begin + kColumns < stride ? begin + kColumns : stride;
    float* sums = partial;
    for (std::size_t r = 0; r < rows; r += V::kTileRows, sums += kPanel) {
      const std::size_t left = rows - r;
      MicroRows<V>(left < V::kTileRows ? left : V::kTileRows, task.x + row + r, tile, stride, begin,
                   end, sums);
    }
  }
  for (std::size_t r = 0; r < rows; ++r) {
    const float* sums = partial + r / V::kTileRows * kPanel;
    sums += r % V::kTileRows * kOutputs * V::kWidth;
    float* out = task.out + (row + r) * task.out_stride + first;
    for (std::size_t o = 0; o < kOutputs && first + o < task.outputs; ++o) {
      const float bias = task.bias == nullptr ? 0.0F : task.bias[first + o];
      out[o] = V::Total(V::Load(sums + o * V::kWidth)) + bias;
    }
  }
}

template <class V, class Reader>
void Tiled(const LinearTask& task) {
  static_assert(kOutputQuantum % V::kTileOutputs == 0 && V::kTileOutputs <= 6);
  static_assert((kLinearRowBlock + V::kTileRows - 1) / V::kTileRows * V::kTileRows * V::kWidth *
                    V::kTileOutputs <=
                kLinearRowBlock * 6 * 16);
  const std::size_t stride = RoundUp(task.layout.columns, kColumnQuantum);
  float* tile = task.scratch;
  float* partial = tile + kOutputQuantum * stride;
  for (std::size_t first = 0; first < task.outputs; first += kOutputQuantum) {
    const std::size_t left = task.outputs - first;
    const std::size_t count =
        left < kOutputQuantum ? RoundUp(left, V::kTileOutputs) : kOutputQuantum;
    Unpack<V, Reader>(task, first, count, stride, tile);
    for (std::size_t row = 0; row < task.rows; row += kLinearRowBlock) {
      const std::size_t rows =
          task.rows - row < kLinearRowBlock ? task.rows - row : kLinearRowBlock;
      for (std::size_t o = 0; o < count; o += V::kTileOutputs) {
        TileOfRows<V>(task, first + o, row, rows, tile + o * stride, stride, partial);
      }
    }
  }
}

template <class V, class Reader>
void LinearOf(const LinearTask& task) {
  if (task.rows <= V::kFusedRows) {
    FusedRows<V, Reader>(task);
  } else {
    Tiled<V, Reader>(task);
  }
}

template <class V>
void Linear(const LinearTask& task) {
  if (task.rows == 0 || task.outputs == 0) {
    return;
  }
  switch (task.layout.type) {
    case WeightType::kF32:
      return LinearOf<V, F32Reader<V>>(task);
    case WeightType::kF16:
      return LinearOf<V, F16Reader<V>>(task);
    case WeightType::kBF16:
      return LinearOf<V, Bf16Reader<V>>(task);
    case WeightType::kQ8_0:
      return LinearOf<V, Q8Reader<V>>(task);
    case WeightType::kMxfp4:
      if (task.layout.order == NibbleOrder::kAdjacent) {
        return LinearOf<V, Mxfp4Reader<V, NibbleOrder::kAdjacent>>(task);
      }
      return LinearOf<V, Mxfp4Reader<V, NibbleOrder::kHalves>>(task);
  }
}

}  // namespace safeguard::engine::cpu
