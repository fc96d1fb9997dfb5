// The hot functions of the forward pass, which exist once per instruction set. The reference folder
// defines what each computes; every other folder is tested against it (kernels_test.cc) and checks
// itself against it before it is used (self_check.h).
//
// Every function is a pure function of its arguments and may be called from any thread. Within one
// table each number of a result is summed in one fixed order that depends on nothing but its own
// row and column, so it is the same bits whatever else is computed with it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/cpu/kernels/packed_linear.h"
#include "engine/model/weights.h"

namespace safeguard::engine::cpu {

// Activations are padded with zeros to a multiple of this many columns.
inline constexpr std::size_t kColumnQuantum = 32;
// A linear task is cut best at multiples of this many outputs.
inline constexpr std::size_t kOutputQuantum = 24;
// Positions that one page of keys and values holds.
inline constexpr std::size_t kPagePositions = 64;
// Head sizes are padded to a multiple of this in a page's values.
inline constexpr std::size_t kHeadQuantum = 16;

constexpr std::size_t RoundUp(std::size_t value, std::size_t quantum) {
  return (value + quantum - 1) / quantum * quantum;
}

// How the bytes of a weight row are read.
struct WeightLayout {
  WeightType type;
  NibbleOrder order;  // the last three for kMxfp4 only
  std::size_t code_stride;
  std::size_t scale_stride;
  std::size_t columns;
};

// One row of weights: `data` points at its first number, block, or block of codes.
struct WeightRow {
  const std::byte* data;
  const std::byte* scales;  // kMxfp4 only
};

// out[r * out_stride + o] = bias[o] + sum over k of x[r][k] * weights[o][k], with weights exact in
// binary32 and sums in binary32.
struct LinearTask {
  WeightLayout layout;
  const WeightRow* weights;  // `outputs` of them, anywhere
  std::size_t outputs;
  const float* bias;      // `outputs`, or null
  const float* const* x;  // `rows` rows of RoundUp(columns, kColumnQuantum), zeros at the end
  std::size_t rows;
  float* out;
  std::size_t out_stride;
  float* scratch;  // LinearScratchFloats(columns)
};

// Rows of activations that share an unpacked tile of weights at a time: they stay in the L2 cache.
inline constexpr std::size_t kLinearRowBlock = 32;

constexpr std::size_t LinearScratchFloats(std::size_t columns) {
  // The unpacked tile, and sixteen partial sums for each of a row block's sums in flight.
  return kOutputQuantum * RoundUp(columns, kColumnQuantum) + kLinearRowBlock * 6 * 16;
}

// How a page stores numbers. kBf16 stores them in pairs, as tiles multiply them.
enum class KvType : std::uint8_t { kF32, kF16, kBf16 };

constexpr std::size_t BytesOf(KvType type) {
  return type == KvType::kF32 ? 4 : 2;
}

// A page's part for one key/value head: keys as columns, [head_dim][kPagePositions], so that a
// register holds one component of neighbouring positions; then values as rows,
// [kPagePositions][RoundUp(head_dim, kHeadQuantum)]. Positions not yet written are zero.
// kBf16: keys [RoundUp(head_dim, 32) / 2][kPagePositions][2], of two components side by side;
// values [kPagePositions / 2][RoundUp(head_dim, kHeadQuantum)][2], of two positions.
constexpr std::size_t KvKeyRows(std::size_t head_dim, KvType type) {
  return type == KvType::kBf16 ? RoundUp(head_dim, 32) : head_dim;
}
constexpr std::size_t KvKeyIndex(KvType type, std::size_t component, std::size_t slot) {
  return type == KvType::kBf16 ? (component / 2 * kPagePositions + slot) * 2 + component % 2
                               : component * kPagePositions + slot;
}
// Counted from the first value; `padded` is RoundUp(head_dim, kHeadQuantum).
constexpr std::size_t KvValueIndex(KvType type, std::size_t padded, std::size_t slot,
                                   std::size_t component) {
  return type == KvType::kBf16 ? (slot / 2 * padded + component) * 2 + slot % 2
                               : slot * padded + component;
}
constexpr std::size_t KvKeyBytes(std::size_t head_dim, KvType type) {
  return kPagePositions * KvKeyRows(head_dim, type) * BytesOf(type);
}
constexpr std::size_t KvHeadBytes(std::size_t head_dim, KvType type) {
  return KvKeyBytes(head_dim, type) +
         kPagePositions * RoundUp(head_dim, kHeadQuantum) * BytesOf(type);
}

// One query head of one token. It sees the keys at positions (position - window, position].
struct AttentionRow {
  const float* query;  // head_dim numbers, already scaled
  float* out;          // head_dim numbers
  std::size_t position;
  float sink;
};

// A page that the rows [first_row, first_row + rows) of a task read.
struct PageVisit {
  const std::byte* page;  // its part for the task's head
  std::size_t index;      // it holds positions [index * kPagePositions, ...)
  std::size_t first_row;
  std::size_t rows;
};

// Causal attention of rows that share one key/value head:
//   out = sum over keys j of e^(q.k_j - m) v_j / (e^(sink - m) + sum over j of e^(q.k_j - m)).
// Rows may belong to several sequences. A page that they share is read once for all of them; each
// row's own sums go through its pages in rising order, alone or not. Where a table says fast_bf16
// and pages are of kBf16, it rounds queries and the weights e^(q.k_j - m) of the values to
// bfloat16.
struct AttentionTask {
  const AttentionRow* rows;
  std::size_t row_count;
  // Indices rise. The visits of a row reach from the page of the first key that it sees to its own.
  const PageVisit* visits;
  std::size_t visit_count;
  std::size_t head_dim;
  std::size_t window;  // at least 1
  KvType type;
  float* scratch;  // AttentionScratchFloats(row_count, head_dim), fastest on a cache line
};

// Rows that go through a page together: their scores and the page's keys share the L1 cache.
inline constexpr std::size_t kAttentionRowBlock = 48;

constexpr std::size_t AttentionScratchFloats(std::size_t rows, std::size_t head_dim) {
  // Sums of values, largest score and sum of weights by row; a block's scores; a page in binary32.
  // By tiles: queries; a block's weights.
  const std::size_t padded = RoundUp(head_dim, kHeadQuantum);
  const std::size_t tiles =
      rows * RoundUp(head_dim, 32) / 2 + kAttentionRowBlock * kPagePositions / 2;
  return rows * (padded + 2) + kAttentionRowBlock * kPagePositions +
         kPagePositions * (head_dim + padded) + tiles + 4 * kHeadQuantum;
}

// out = x / sqrt(mean(x^2) + epsilon) * weight, all in binary32.
struct NormTask {
  const float* x;
  const float* weight;
  float epsilon;
  std::size_t width;
  float* out;  // may be x
};

// out[i] = g * sigmoid(alpha * g) * (u + 1) with g = min(pairs[2i], limit) and
// u = clamp(pairs[2i + 1], -limit, limit), for i < count.
struct SwigluTask {
  const float* pairs;
  std::size_t count;
  float alpha;
  float limit;
  float* out;
};

struct KernelTable {
  const char* name;
  bool (*supported)();
  void (*linear)(const LinearTask& task);
  void (*attention)(const AttentionTask& task);
  void (*rms_norm)(const NormTask& task);
  void (*swiglu)(const SwigluTask& task);
  // Of one table: packed_linear takes rows that its own prepare made. Integers give the same bits
  // in every table.
  void (*prepare)(const PrepareTask& task);
  void (*packed_linear)(const PackedTask& task);
  // Whether packed_linear wants the rows of a task to stand in order, PreparedRowBytes apart.
  bool rows_in_order = false;
  // Whether bfloat16 is its fastest arithmetic for any number of rows.
  bool fast_bf16 = false;
};

extern const KernelTable kReferenceKernels;
#if defined(__x86_64__)
extern const KernelTable kAvx2Kernels;
extern const KernelTable kAvx512Kernels;
extern const KernelTable kAvx512VnniKernels;
extern const KernelTable kAvx512Bf16Kernels;
extern const KernelTable kAmxKernels;
#endif

struct KernelTables {
  const KernelTable* const* tables;  // best first; the last is always the reference
  std::size_t count;
};

// Every table built into this binary.
KernelTables AllKernels();

// The table for `forced` (the value of SAFEGUARD_KERNELS, or null for the best one): the first that
// is not ruled out by name, that this CPU runs and that agrees with the reference in a self-check
// of some microseconds. A forced table that is unknown or cannot run here gives the reference.
const KernelTable& ChooseKernels(const char* forced);

// ChooseKernels(getenv("SAFEGUARD_KERNELS")), decided once per process.
const KernelTable& BestKernels();

}  // namespace safeguard::engine::cpu
