#include "engine/cpu/kernels/reference/packed.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "engine/cpu/kernels/bf16_rounding.h"
#include "engine/cpu/kernels/prepare_rows.h"
#include "engine/model/dequantize.h"

namespace safeguard::engine::cpu {
namespace {

// Column `column` of output `o` of a block.
std::int32_t Weight(PackedType type, const std::byte* codes, std::size_t o, std::size_t column) {
  if (type == PackedType::kQ8) {
    return std::to_integer<std::int32_t>(codes[column / 4 * 64 + 4 * o + column % 4]) - 128;
  }
  const auto pair = std::to_integer<unsigned>(codes[column / 8 * 64 + 4 * o + column % 4]);
  const unsigned code = column % 8 < 4 ? pair & 15U : pair >> 4U;
  return static_cast<std::int32_t>(2 * E2m1Value(static_cast<std::uint8_t>(code)));
}

float Scale(PackedType type, const std::byte* scales, std::size_t o) {
  if (type == PackedType::kMxfp4) {
    return E8m0Value(std::to_integer<std::uint8_t>(scales[o]));
  }
  std::uint16_t bits = 0;
  std::memcpy(&bits, scales + 2 * o, sizeof bits);
  return Float16Value(bits);
}

// One output's weights as plain rows.
struct Output {
  std::vector<std::int32_t> weights;
  std::vector<float> scales;  // by block
};

Output OutputOf(const PackedTask& task, std::size_t o) {
  const std::byte* codes =
      task.weights + o / kPackedOutputs * PackedGroupBytes(task.type, task.blocks);
  const std::byte* scales = codes + task.blocks * PackedCodeBytes(task.type);
  Output output;
  for (std::size_t block = 0; block < task.blocks; ++block) {
    for (std::size_t k = 0; k < kPackedBlock; ++k) {
      output.weights.push_back(Weight(task.type, codes, o % kPackedOutputs, k));
    }
    output.scales.push_back(Scale(task.type, scales, o % kPackedOutputs));
    codes += PackedCodeBytes(task.type);
    scales += PackedScaleBytes(task.type);
  }
  return output;
}

float Dot(const Output& output, const std::byte* row) {
  const std::size_t blocks = output.scales.size();
  float sum = 0;
  for (std::size_t block = 0; block < blocks; ++block) {
    std::int16_t q[kPackedBlock];
    std::memcpy(q, row + 64 * block, sizeof q);
    std::int32_t dot = 0;
    for (std::size_t k = 0; k < kPackedBlock; ++k) {
      dot += q[k] * output.weights[block * kPackedBlock + k];
    }
    float scale = 0;
    std::memcpy(&scale, row + 64 * blocks + 4 * block, sizeof scale);
    sum = std::fma(static_cast<float>(dot), scale * output.scales[block], sum);
  }
  return sum;
}

// ---- bfloat16 ----

float Flush(float x) {
  return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.0F, x) : x;
}

float Bf16Value(std::uint16_t bits) {
  return Flush(std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16));
}

// One output's weights, in the order of a prepared row.
std::vector<float> Bf16Output(const PackedTask& task, std::size_t o) {
  const std::byte* codes =
      task.weights + o / kPackedOutputs * PackedGroupBytes(task.type, task.blocks);
  const std::byte* scales = codes + task.blocks * PackedCodeBytes(task.type);
  const std::size_t lane = o % kPackedOutputs;
  std::vector<float> weights;
  for (std::size_t block = 0; block < task.blocks; ++block) {
    for (std::uint32_t at = 0; at < kPackedBlock; ++at) {
      std::uint16_t bits = 0;
      if (task.type == PackedType::kBf16) {
        std::memcpy(&bits, codes + at / 2 * 64 + 4 * lane + at % 2 * 2, sizeof bits);
      } else {
        const auto weight = static_cast<float>(Weight(task.type, codes, lane, Bf16Column(at)));
        bits = RoundToBf16(weight * Scale(task.type, scales, lane));  // one rounding: exact so far
      }
      weights.push_back(Bf16Value(bits));
    }
    codes += PackedCodeBytes(task.type);
    scales += PackedScaleBytes(task.type);
  }
  return weights;
}

float Bf16Dot(const std::vector<float>& weights, const std::byte* row) {
  float sum = 0;
  for (std::size_t begin = 0; begin < weights.size(); begin += kPackedBlock) {
    std::uint16_t x[kPackedBlock];
    std::memcpy(x, row + 2 * begin, sizeof x);
    float even = 0;
    float odd = 0;
    for (std::size_t at = 0; at < kPackedBlock; at += 2) {
      even = Flush(std::fma(Bf16Value(x[at]), weights[begin + at], even));
      odd = Flush(std::fma(Bf16Value(x[at + 1]), weights[begin + at + 1], odd));
    }
    sum = Flush(sum + Flush(even + odd));
  }
  return sum;
}

void ReferencePackedBf16(const PackedTask& task) {
  for (std::size_t o = 0; o < task.outputs; ++o) {
    const std::vector<float> output = Bf16Output(task, o);
    for (std::size_t r = 0; r < task.rows; ++r) {
      task.out[r * task.out_stride + o] = Bf16Dot(output, task.x[r]) + task.bias[o];
    }
  }
}

}  // namespace

void ReferencePrepare(const PrepareTask& task) {
  Prepare<IntegerOrder::kPlain>(task);
}

void ReferencePackedLinear(const PackedTask& task) {
  if (task.bits == ActivationBits::kBf16) {
    ReferencePackedBf16(task);
    return;
  }
  for (std::size_t o = 0; o < task.outputs; ++o) {
    const Output output = OutputOf(task, o);
    for (std::size_t r = 0; r < task.rows; ++r) {
      task.out[r * task.out_stride + o] = Dot(output, task.x[r]) + task.bias[o];
    }
  }
}

}  // namespace safeguard::engine::cpu
