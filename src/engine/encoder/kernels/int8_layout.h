// Where the numbers of an 8-bit linear layer stand in memory (int8_linear.h computes with them).
//
// A row of inputs is cut into blocks; each block of a row and each block of an output's weights has
// its own scale. Rows of hidden states carry a few channels with values twenty times the others':
// the loader moves those to the end, where they are a block of their own (bert_weights.h).
//
// Packed weights: for each panel of outputs, for each four inputs: the panel's outputs, four
// neighbouring inputs each, signed bytes. Then, block by block: what an output's sum starts from
// (32-bit), and its scale (binary32).
// Prepared rows: the row's unsigned bytes, then one binary32 scale a block.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/encoder/kernels/kernel_table.h"

namespace safeguard::engine {

// Inputs of the inner layer's blocks.
inline constexpr std::size_t kInt8InnerBlock = 384;

// The end of the block of inputs that begins at `begin`.
[[gnu::always_inline]] constexpr std::size_t Int8BlockEnd(InputKind kind, std::size_t inputs,
                                                          std::size_t begin) {
  const std::size_t left = inputs - begin;
  if (kind == InputKind::kInner) {
    return begin + (left < kInt8InnerBlock ? left : kInt8InnerBlock);
  }
  if (kind == InputKind::kHidden && left > kOutlierChannels) {
    return inputs - kOutlierChannels;
  }
  return inputs;
}

[[gnu::always_inline]] constexpr std::size_t Int8Blocks(InputKind kind, std::size_t inputs) {
  std::size_t blocks = 0;
  for (std::size_t begin = 0; begin < inputs; begin = Int8BlockEnd(kind, inputs, begin)) {
    ++blocks;
  }
  return blocks;
}

[[gnu::always_inline]] constexpr std::size_t Int8PackedBytes(std::size_t outputs,
                                                             std::size_t inputs, InputKind kind) {
  return outputs * inputs +
         outputs * Int8Blocks(kind, inputs) * (sizeof(std::int32_t) + sizeof(float));
}

// Whole cache lines, and an odd number of them, so that rows do not fall on the same cache sets.
[[gnu::always_inline]] constexpr std::size_t Int8RowBytes(std::size_t inputs, InputKind kind) {
  const std::size_t lines = (inputs + Int8Blocks(kind, inputs) * sizeof(float) + 63) / 64;
  return (lines | 1U) * 64;
}

// The parts of a layer's packed weights.
struct Int8Weights {
  const std::int8_t* numbers;
  const std::int32_t* starts;  // [blocks][outputs]
  const float* scales;         // [blocks][outputs]
};

[[gnu::always_inline]] inline Int8Weights Int8WeightsOf(const std::byte* packed,
                                                        std::size_t outputs, std::size_t inputs,
                                                        InputKind kind) {
  const std::byte* starts = packed + outputs * inputs;
  const std::byte* scales = starts + outputs * Int8Blocks(kind, inputs) * sizeof(std::int32_t);
  return {reinterpret_cast<const std::int8_t*>(packed),
          reinterpret_cast<const std::int32_t*>(starts), reinterpret_cast<const float*>(scales)};
}

}  // namespace safeguard::engine
