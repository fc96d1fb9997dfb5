// From the weights of a checkpoint to the layout of packed_linear.h, without rounding where that is
// possible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "engine/cpu/kernels/packed_linear.h"
#include "engine/model/weights.h"

namespace safeguard::engine::cpu {

// Matrices of one type and number of columns whose rows take turns: output o is row
// o / sources.size() of sources[o % sources.size()].
using PackSources = std::span<const MatrixView* const>;

// What weights of other types than MXFP4 and Q8_0 become.
enum class DenseWeights : std::uint8_t {
  kAsStored,  // they are not packed
  kQ8,        // rounded: 127 steps from 0 to a block's largest
  kBf16,      // bfloat16 as it is, other types rounded to it
};

// How the matrices are packed; nothing if they cannot be. MXFP4 and Q8_0 keep their integers.
std::optional<PackedType> PackedTypeOf(PackSources sources, DenseWeights dense);

// Writes outputs [first, first + kPackedOutputs) to `to`, PackedGroupBytes(type, blocks). False: a
// block has no place in the layout (an MXFP4 scale that is NaN or overflows or makes subnormal
// weights; a Q8_0 scale that is not finite; a bfloat16 that is not finite).
bool PackGroup(PackSources sources, PackedType type, std::size_t first, std::byte* to);

}  // namespace safeguard::engine::cpu
