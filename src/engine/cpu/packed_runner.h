// The packed half of linear layers: activations become integers once a step, pieces of packed
// matrices are handed to the kernel.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/thread_pool.h"
#include "engine/cpu/aligned_floats.h"
#include "engine/cpu/kernels/kernel_table.h"
#include "engine/cpu/packed/packed_weights.h"

namespace safeguard::engine::cpu {

// Rows of activations as a kernel table's integers.
class PreparedRows {
 public:
  // Forgets the last step's rows.
  void Clear() {
    for (Places& places : places_) {
      places.clear();
    }
    sources_.clear();
  }
  // `in_order`: the rows of a span are to stand one behind the other (KernelTable::rows_in_order).
  explicit PreparedRows(bool in_order) : in_order_(in_order) {}

  // Wants `x` for `matrix`. A row that is given twice for one type of weights is made once; in
  // order, a span that is given twice is. REQUIRES: all matrices between two Clears have the same
  // `columns`, and the rows and spans stay as they are until the last Find.
  void Add(std::span<const float* const> x, const PackedMatrix& matrix);
  void Make(const KernelTable& kernels, ActivationBits bits, ThreadPool& pool);
  // Where the rows stand, after Make.
  void Find(std::span<const float* const> x, const PackedMatrix& matrix,
            std::vector<const std::byte*>& rows) const;

 private:
  using Places = std::unordered_map<const void*, std::size_t>;
  struct Source {
    const float* x;
    PackedType type;
  };

  bool in_order_;
  std::size_t blocks_ = 0;
  std::array<Places, kPackedTypes> places_;  // by type, and row; in order, by a span's begin
  std::vector<Source> sources_;
  AlignedFloats memory_;
};

struct PackedScratch {
  std::vector<const std::byte*> rows;
  AlignedFloats kernel;
  AlignedFloats group;
};

// Outputs [begin, begin + count) of `matrix`; `begin` starts a group. `bias` of RoundUp(count,
// kPackedOutputs).
struct PackedPiece {
  const PackedMatrix* matrix;
  ActivationBits bits;
  std::size_t begin;
  std::size_t count;
  const float* bias;
  float* out;
  std::size_t out_stride;
};

// For the rows in `scratch`.
void RunPacked(const KernelTable& kernels, const PackedPiece& piece, PackedScratch& scratch);

}  // namespace safeguard::engine::cpu
