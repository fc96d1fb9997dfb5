// Linear layers over packed weights.
//
// In integers every instruction set computes the same bits.
// MXFP4 and Q8_0 weights are small integers w with a scale per block of 32. Activations become
// integers too, per row and block:
//   s = a / m with a = max |x| of the block and m = 32,639 (16 bits) or 127 (8 bits),
//   q[k] = x[k] * (m / a), rounded to the nearest integer, ties to even.
// The integer sum over a block is exact, then one number of binary32 follows another:
//   out = fma over blocks, rising, of (float(sum of q * w), s * scale of w) from 0; at last + bias.
// A block whose a is below 2^-100 counts as zero. One that holds an infinity or a NaN has s = NaN.
//
// In bfloat16 activations are rounded to it, ties to even; so are the products of Q8_0's integers
// and scales. MXFP4 weights with their scales are exact in it, and bfloat16 weights go in as they
// are. Of a block's 16 pairs (of every four columns 0 and 2, then 1 and 3) the products are added
// as TDPBF16PS does (Intel SDM, volume 2):
//   even = fma over pairs, rising, of the first numbers of x and w, from 0; odd = of the second,
//   out = out + (even + odd) over blocks, rising, from 0; at last + bias,
// in binary32, to nearest, ties to even, with every subnormal number taken as and made zero. That
// is what all tables compute but one: VDPBF16PS adds in another order (avx512_bf16.cc).
#pragma once

#include <cstddef>
#include <cstdint>

namespace safeguard::engine::cpu {

enum class PackedType : std::uint8_t {
  kMxfp4,  // w is twice the E2M1 value, so that the scale is half the block's
  kQ8,
  kBf16,  // for activations of bfloat16 only
};
inline constexpr std::size_t kPackedTypes = 3;

// How fine activations are.
enum class ActivationBits : std::uint8_t { k16, k8, kBf16 };

// Outputs stand in groups of 16, so that a group's scales are a vector. The last group is filled
// up with zeros.
inline constexpr std::size_t kPackedOutputs = 16;
inline constexpr std::size_t kPackedBlock = 32;

// Codes of one block of a group.
//   kMxfp4: 4 vectors of 64 bytes. Byte 4 * o + j of vector v holds output o's E2M1 codes of
//           columns 8 * v + j (low four bits) and 8 * v + 4 + j (high four bits).
//   kQ8: 8 vectors. Byte 4 * o + j of vector v is output o's integer of column 4 * v + j, plus 128.
//   kBf16: 16 vectors. Bytes [4 * o, 4 * o + 4) of vector i are output o's numbers of pair i.
constexpr std::size_t PackedCodeBytes(PackedType type) {
  return type == PackedType::kMxfp4 ? 256 : type == PackedType::kQ8 ? 512 : 1024;
}
// Scales of one block of a group, output after output.
//   kMxfp4: one byte e, 1 to 251: the scale is 2^(e - 127). kQ8: binary16. kBf16: none.
constexpr std::size_t PackedScaleBytes(PackedType type) {
  return type == PackedType::kMxfp4 ? 16 : type == PackedType::kQ8 ? 32 : 0;
}
// A group is the codes of all its blocks, then their scales, then zeros up to a cache line.
constexpr std::size_t PackedGroupBytes(PackedType type, std::size_t blocks) {
  return (blocks * (PackedCodeBytes(type) + PackedScaleBytes(type)) + 63) / 64 * 64;
}

// Bytes of a prepared row. Of bfloat16: 32 numbers a block, in pairs, as described above. Else
// 64 bytes of integers a block, in an order of the kernel's own; then s of
// every block, then two corrections of every block, for kernels that add 12 or 128 to the weights
// (prepare_rows.h).
constexpr std::size_t PreparedRowBytes(std::size_t blocks) {
  return (blocks * (64 + 3 * 4) + 63) / 64 * 64;
}

struct PrepareTask {
  PackedType type;  // of the weights that the row will meet
  ActivationBits bits;
  const float* x;  // blocks * kPackedBlock
  std::size_t blocks;
  std::byte* row;  // PreparedRowBytes(blocks), on a cache line
};

struct PackedTask {
  PackedType type;
  ActivationBits bits;        // type and bits as the rows were prepared for
  const std::byte* weights;   // the first group, on a cache line
  std::size_t blocks;         // of a row
  std::size_t outputs;        // those behind are computed in the last group, but not written
  const float* bias;          // RoundUp(outputs, kPackedOutputs)
  const std::byte* const* x;  // prepared rows; in order where KernelTable::rows_in_order asks it
  std::size_t rows;
  float* out;  // out[r * out_stride + o]
  std::size_t out_stride;
  float* scratch;  // kPackedScratchFloats, on a cache line
};

inline constexpr std::size_t kPackedRowBlock = 96;
// The most that a table takes: sums of a block of rows and unpacked weights.
inline constexpr std::size_t kPackedScratchFloats = 20 * 1024;

}  // namespace safeguard::engine::cpu
