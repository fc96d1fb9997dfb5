// Runs linear layers on all threads: cuts them by output rows and hands each piece to the kernel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "engine/cpu/aligned_floats.h"
#include "engine/cpu/kernels/kernel_table.h"
#include "engine/cpu/packed/packed_weights.h"
#include "engine/cpu/packed_runner.h"
#include "engine/model/weights.h"

namespace safeguard::engine::cpu {

// out[r * out_stride + o] = bias[o] + x[r] . weights[o]. With `only`, output i is row only[i] of
// the weights and of the bias: the same bits as in a run over all rows.
struct LinearJob {
  const MatrixView* weights = nullptr;
  const VectorView* bias = nullptr;   // null: none
  std::span<const float* const> x{};  // rows of RoundUp(columns, kColumnQuantum) floats
  float* out = nullptr;
  std::size_t out_stride = 0;
  std::span<const std::uint32_t> only{};  // rows of `weights`, rising; empty: all of them
};

// An expert's first half: out = swiglu(gate, up), `intermediate` numbers a row.
struct GateUpJob {
  const ExpertWeights* expert = nullptr;
  std::span<const float* const> x{};
  float* out = nullptr;
  std::size_t out_stride = 0;
};

class LinearRunner {
 public:
  // With `packed`, which must outlive this, matrices that it holds are multiplied in integers.
  LinearRunner(const KernelTable& kernels, ThreadPool& pool, const PackedWeights* packed,
               ActivationBits bits);

  void Run(std::span<const LinearJob> jobs);
  void Run(std::span<const GateUpJob> jobs, float alpha, float limit);

 private:
  // Outputs [begin, end) of job `job`.
  struct Piece {
    std::size_t job;
    std::size_t begin;
    std::size_t end;
  };
  struct Extent {
    std::size_t outputs;
    std::size_t rows;
  };
  struct Scratch {
    std::vector<WeightRow> rows;
    std::vector<float> bias;
    std::vector<float> gate_up_bias;  // gate's, then up's
    AlignedFloats kernel;
    AlignedFloats pairs;
    PackedScratch packed;
  };

  [[nodiscard]] const PackedMatrix* Packed(const MatrixView* matrix) const {
    return packed_ == nullptr ? nullptr : packed_->Find(matrix);
  }
  void CutPieces();
  void RunPackedPiece(const LinearJob& job, const PackedMatrix& matrix, const Piece& piece,
                      Scratch& scratch) const;
  void RunChosen(const LinearJob& job, const PackedMatrix& matrix, const Piece& piece,
                 Scratch& scratch) const;
  void RunPiece(const LinearJob& job, const Piece& piece, Scratch& scratch) const;
  void RunPiece(const GateUpJob& job, const Piece& piece, float alpha, float limit,
                Scratch& scratch) const;

  const KernelTable& kernels_;
  ThreadPool& pool_;
  const PackedWeights* packed_;
  ActivationBits bits_;
  PreparedRows prepared_;
  std::vector<Extent> extents_;  // of the jobs at hand
  std::vector<Piece> pieces_;
  std::vector<Scratch> scratch_;  // by worker
};

}  // namespace safeguard::engine::cpu
