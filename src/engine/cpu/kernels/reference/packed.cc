#include "engine/cpu/kernels/reference/packed.h"

#include <bit>
#include <cmath>
#include <cstring>

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

float Dot(const PackedTask& task, const std::byte* group, std::size_t o, const std::byte* row) {
  float sum = 0;
  for (std::size_t block = 0; block < task.blocks; ++block) {
    std::int16_t q[kPackedBlock];
    std::memcpy(q, row + 64 * block, sizeof q);
    std::int32_t dot = 0;
    for (std::size_t k = 0; k < kPackedBlock; ++k) {
      dot += q[k] * Weight(task.type, group + block * PackedCodeBytes(task.type), o, k);
    }
    float scale = 0;
    std::memcpy(&scale, row + 64 * task.blocks + 4 * block, sizeof scale);
    scale *= Scale(
        task.type,
        group + task.blocks * PackedCodeBytes(task.type) + block * PackedScaleBytes(task.type), o);
    sum = std::fma(static_cast<float>(dot), scale, sum);
  }
  return sum;
}

}  // namespace

void ReferencePrepare(const PrepareTask& task) {
  Prepare<IntegerOrder::kPlain>(task);
}

void ReferencePackedLinear(const PackedTask& task) {
  for (std::size_t o = 0; o < task.outputs; ++o) {
    const std::byte* group =
        task.weights + o / kPackedOutputs * PackedGroupBytes(task.type, task.blocks);
    for (std::size_t r = 0; r < task.rows; ++r) {
      task.out[r * task.out_stride + o] =
          Dot(task, group, o % kPackedOutputs, task.x[r]) + task.bias[o];
    }
  }
}

}  // namespace safeguard::engine::cpu
