// The hot functions of the encoder, which exist once per instruction set. The reference folder
// defines what each must compute; every other folder is tested against it (kernels_test.cc) and
// checks itself against it before it is used (self_check.h).
//
// Every function is a pure function of its arguments and may be called from any thread. Each row
// of a result depends on its own row of the input only and is summed in one fixed order, so it is
// the same bits whatever other rows are computed with it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace safeguard::engine {

// Widths (inputs and outputs of a linear layer, head size) must be multiples of this.
inline constexpr std::size_t kWidthQuantum = 32;
// Inputs of a linear layer are taken in blocks of this many; kernels that quantise use one scale
// for each block of a row.
inline constexpr std::size_t kInputBlock = 192;

constexpr std::size_t InputBlocks(std::size_t inputs) {
  return (inputs + kInputBlock - 1) / kInputBlock;
}

// Channels of the hidden states with by far the largest values stand at the end of a row, in a
// block of at most this many, where the kernels want them so (KernelTable::sorts_channels).
inline constexpr std::size_t kOutlierChannels = 32;

// What a linear layer reads: the hidden states behind a layer norm, the contexts of attention, or
// GELUs.
enum class InputKind : std::uint8_t { kHidden, kContext, kInner };

// out[r][c] = bias[c] + sum over i of x[r][i] * w[c][i], for c in [column_begin, column_end).
struct MultiplyTask {
  const std::byte* weights;  // from pack_weights; aligned to 64 bytes
  const float* bias;         // `outputs` floats
  std::size_t outputs;
  std::size_t inputs;
  InputKind kind;
  std::size_t column_begin;  // multiples of kWidthQuantum
  std::size_t column_end;
  const std::byte* prepared;  // `rows` rows of `inputs` from prepare_rows
  std::size_t rows;
  float* out;              // where (row 0, column_begin) goes
  std::size_t out_stride;  // floats from row to row
};

// `count` rows of weights (outputs [first, first + count) of a layer), row-major.
struct PackTask {
  const float* rows;
  float* bias;        // `count`; what a kernel takes off its inputs it adds here
  std::size_t first;  // multiples of kWidthQuantum
  std::size_t count;
  std::size_t outputs;
  std::size_t inputs;
  InputKind kind;
  std::byte* packed;  // the whole layer's packed_bytes
};

// Columns [column_begin, column_begin + columns) of `rows` rows of activations.
struct PrepareTask {
  float* x;  // where (row 0, column_begin) is; only prepare_gelu may write there
  std::size_t x_stride;
  std::size_t rows;
  std::size_t inputs;  // of the whole row
  InputKind kind;
  // prepare_rows: the whole row. prepare_gelu: one block of KernelTable::inner_block, or the rest.
  std::size_t column_begin;
  std::size_t columns;
  std::byte* prepared;
};

// One head of one sequence: softmax(Q K^T / sqrt(head)) V without a mask.
struct AttentionTask {
  const float* query;  // row 0 of the head
  const float* key;
  const float* value;
  std::size_t stride;  // floats from token to token in the three
  std::size_t tokens;
  std::size_t queries;  // rows wanted: those of the first so many tokens, at least 1
  std::size_t head;     // floats a head
  float* out;
  std::size_t out_stride;
  float* scratch;  // AttentionScratchFloats
};

// The most query rows that a kernel takes at a time.
inline constexpr std::size_t kAttentionRowsMax = 8;

constexpr std::size_t RoundUp(std::size_t value, std::size_t quantum) {
  return (value + quantum - 1) / quantum * quantum;
}

constexpr std::size_t AttentionScratchFloats(std::size_t tokens, std::size_t head) {
  return (head + kAttentionRowsMax) * RoundUp(tokens, kWidthQuantum);
}

// out[i] = (sum - mean) / sqrt(variance + epsilon) * weight[i] + bias[i] with sum = a + b.
struct LayerNormTask {
  const float* a;
  const float* b;
  const float* weight;
  const float* bias;
  float epsilon;
  std::size_t width;
  std::size_t rows;
  float* out;  // rows of `width`, as a and b; may be either of them
};

// What linear layers are computed in: binary32, 16-bit integers or bf16 (differences of some 1e-3
// of a hidden state's size at most), or 8-bit integers (some 1e-2).
enum class Precision : std::uint8_t { kFull, k16Bit, k8Bit };

struct KernelTable {
  const char* name;  // of the instruction set
  Precision precision;
  bool (*supported)();
  // Row blocks are best a multiple of this many rows.
  std::size_t row_quantum;

  // Columns that the inner layer is best taken in at a time.
  std::size_t inner_block;
  // Whether hidden states are to carry their outlier channels at the end (kOutlierChannels).
  bool sorts_channels;

  std::size_t (*packed_bytes)(std::size_t outputs, std::size_t inputs, InputKind kind);
  void (*pack_weights)(const PackTask& task);
  // Bytes for `rows` prepared rows.
  std::size_t (*prepared_bytes)(std::size_t rows, std::size_t inputs, InputKind kind);
  void (*prepare_rows)(const PrepareTask& task);
  // As prepare_rows, of gelu(x).
  void (*prepare_gelu)(const PrepareTask& task);
  void (*multiply)(const MultiplyTask& task);

  void (*attention)(const AttentionTask& task);
  void (*add_layer_norm)(const LayerNormTask& task);
  // x = x * (1 + erf(x / sqrt(2))) / 2, exact to 3e-7 * max(1, |x|); k8Bit: to 2.5e-4.
  void (*gelu)(float* x, std::size_t count);
  // IEEE binary16, little-endian, at any address, to binary32; exact.
  void (*widen_f16)(const std::byte* from, std::size_t count, float* to);
};

extern const KernelTable kReferenceKernels;
// What every k8Bit table computes, in plain C++.
extern const KernelTable kPortableInt8Kernels;
#if defined(__x86_64__)
extern const KernelTable kAvx2Int8Kernels;
extern const KernelTable kAvx512Int8Kernels;
extern const KernelTable kAvx2Kernels;
extern const KernelTable kAvx512Kernels;
extern const KernelTable kAmxKernels;
#endif

struct KernelTables {
  const KernelTable* const* tables;  // best first; the last is always the reference
  std::size_t count;
};

// Every table built into this binary.
KernelTables AllKernels();

// The table for `forced` (the value of SAFEGUARD_KERNELS, or null for the best one) and `precision`
// (the value of SAFEGUARD_SCREEN_PRECISION: "8" or "16", null for the faster): the first that is
// not ruled out by name or precision, that this CPU runs and that agrees with the reference in a
// self-check of some microseconds. Where there is none, the reference of that precision.
const KernelTable& ChooseKernels(const char* forced, const char* precision);

// ChooseKernels of the environment, decided once per process.
const KernelTable& BestKernels();

}  // namespace safeguard::engine
