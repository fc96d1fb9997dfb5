#include "engine/cpu/linear_runner.h"

#include <algorithm>

#include "base/check.h"
#include "engine/model/dequantize.h"

namespace safeguard::engine::cpu {
namespace {

// Pieces are whole multiples of this many outputs: all kernels' tiles end there. Where that would
// leave threads without work, of half as many.
constexpr std::size_t kPieceOutputs = 4 * kOutputQuantum;
static_assert(kPieceOutputs % (2 * kPackedOutputs) == 0);
static_assert(kPieceOutputs / 2 % kPackedOutputs == 0);
// Numbers that a piece makes, beyond which it gets no larger: half of a small L2 cache.
constexpr std::size_t kPieceNumbers = 32 * 1024;
// One thread's share of what is left makes at least so many pieces.
constexpr std::size_t kPieceParts = 3;
// What an output costs: up to as many rows take a kernel about as long as one.
constexpr std::size_t kFewRows = 16;
std::size_t CostOf(std::size_t rows) {
  return std::max(rows, kFewRows);
}

WeightLayout LayoutOf(const MatrixView& matrix) {
  return {matrix.type, matrix.mxfp4.order, matrix.mxfp4.code_stride, matrix.mxfp4.scale_stride,
          matrix.columns};
}

WeightRow RowOf(const MatrixView& matrix, std::size_t row) {
  if (matrix.type != WeightType::kMxfp4) {
    return {matrix.data + row * matrix.row_stride, nullptr};
  }
  return {matrix.mxfp4.codes + row * matrix.mxfp4.code_row_stride,
          matrix.mxfp4.scales + row * matrix.mxfp4.scale_row_stride};
}

bool SameLayout(const WeightLayout& a, const WeightLayout& b) {
  return a.type == b.type && a.order == b.order && a.code_stride == b.code_stride &&
         a.scale_stride == b.scale_stride && a.columns == b.columns;
}

}  // namespace

LinearRunner::LinearRunner(const KernelTable& kernels, ThreadPool& pool,
                           const PackedWeights* packed, ActivationBits bits)
    : kernels_(kernels),
      pool_(pool),
      packed_(packed),
      bits_(bits),
      prepared_(kernels.rows_in_order),
      scratch_(pool.size()) {}

// A kernel starts a piece by waiting for memory, so the first ones are large; the last ones are
// small, so that all threads end together.
void LinearRunner::CutPieces() {
  pieces_.clear();
  std::size_t left = 0;
  for (const Extent& extent : extents_) {
    left += extent.outputs * CostOf(extent.rows);
  }
  const std::size_t share = left / (2 * pool_.size());
  for (std::size_t job = 0; job < extents_.size(); ++job) {
    const Extent& extent = extents_[job];
    const std::size_t cost = CostOf(extent.rows);
    const std::size_t most =
        std::max(kPieceOutputs, kPieceNumbers / std::max(extent.rows, std::size_t{1}));
    const std::size_t quantum = share / cost < kPieceOutputs ? kPieceOutputs / 2 : kPieceOutputs;
    for (std::size_t begin = 0; begin < extent.outputs;) {
      const std::size_t fair = std::min(left / (kPieceParts * pool_.size()) / cost, most);
      const std::size_t size = std::max(fair / quantum, std::size_t{1}) * quantum;
      const std::size_t end = std::min(extent.outputs, begin + size);
      pieces_.push_back({job, begin, end});
      left -= (end - begin) * cost;
      begin = end;
    }
  }
}

void LinearRunner::Run(std::span<const LinearJob> jobs) {
  extents_.clear();
  prepared_.Clear();
  for (const LinearJob& job : jobs) {
    if (const PackedMatrix* packed = Packed(job.weights)) {
      prepared_.Add(job.x, *packed);
    }
    extents_.push_back({job.only.empty() ? job.weights->rows : job.only.size(), job.x.size()});
  }
  CutPieces();
  prepared_.Make(kernels_, bits_, pool_);
  pool_.ParallelFor(pieces_.size(), [&](std::size_t i, std::size_t worker) {
    RunPiece(jobs[pieces_[i].job], pieces_[i], scratch_[worker]);
  });
}

void LinearRunner::Run(std::span<const GateUpJob> jobs, float alpha, float limit) {
  extents_.clear();
  prepared_.Clear();
  for (const GateUpJob& job : jobs) {
    if (const PackedMatrix* packed = Packed(&job.expert->gate)) {
      prepared_.Add(job.x, *packed);
    }
    extents_.push_back({2 * job.expert->gate.rows, job.x.size()});
  }
  CutPieces();
  prepared_.Make(kernels_, bits_, pool_);
  pool_.ParallelFor(pieces_.size(), [&](std::size_t i, std::size_t worker) {
    RunPiece(jobs[pieces_[i].job], pieces_[i], alpha, limit, scratch_[worker]);
  });
}

void LinearRunner::RunPiece(const LinearJob& job, const Piece& piece, Scratch& scratch) const {
  if (const PackedMatrix* packed = Packed(job.weights)) {
    prepared_.Find(job.x, *packed, scratch.packed.rows);
    return job.only.empty() ? RunPackedPiece(job, *packed, piece, scratch)
                            : RunChosen(job, *packed, piece, scratch);
  }
  const std::size_t count = piece.end - piece.begin;
  scratch.rows.resize(count);
  scratch.bias.assign(count, 0.0F);
  for (std::size_t o = 0; o < count; ++o) {
    const std::size_t row = job.only.empty() ? piece.begin + o : job.only[piece.begin + o];
    scratch.rows[o] = RowOf(*job.weights, row);
    if (job.bias != nullptr) {
      DequantizeVector(*job.bias, row, {&scratch.bias[o], 1});
    }
  }
  scratch.kernel.Reserve(LinearScratchFloats(job.weights->columns));
  kernels_.linear({LayoutOf(*job.weights), scratch.rows.data(), count, scratch.bias.data(),
                   job.x.data(), job.x.size(), job.out + piece.begin, job.out_stride,
                   scratch.kernel.data()});
}

void LinearRunner::RunPackedPiece(const LinearJob& job, const PackedMatrix& matrix,
                                  const Piece& piece, Scratch& scratch) const {
  const std::size_t count = piece.end - piece.begin;
  scratch.bias.assign(RoundUp(count, kPackedOutputs), 0.0F);
  if (job.bias != nullptr) {
    DequantizeVector(*job.bias, piece.begin, std::span(scratch.bias).first(count));
  }
  RunPacked(kernels_,
            {&matrix, bits_, piece.begin, count, scratch.bias.data(), job.out + piece.begin,
             job.out_stride},
            scratch.packed);
}

// Whole groups are computed, and the chosen outputs picked from them.
void LinearRunner::RunChosen(const LinearJob& job, const PackedMatrix& matrix, const Piece& piece,
                             Scratch& scratch) const {
  const std::size_t rows = job.x.size();
  scratch.packed.group.Reserve(rows * kPackedOutputs);
  float* group = scratch.packed.group.data();
  for (std::size_t i = piece.begin; i < piece.end;) {
    const std::size_t first = job.only[i] / kPackedOutputs * kPackedOutputs;
    const std::size_t count = std::min(kPackedOutputs, matrix.outputs - first);
    scratch.bias.assign(kPackedOutputs, 0.0F);
    if (job.bias != nullptr) {
      DequantizeVector(*job.bias, first, std::span(scratch.bias).first(count));
    }
    RunPacked(kernels_, {&matrix, bits_, first, count, scratch.bias.data(), group, kPackedOutputs},
              scratch.packed);
    for (; i < piece.end && job.only[i] < first + count; ++i) {
      for (std::size_t r = 0; r < rows; ++r) {
        job.out[r * job.out_stride + i] = group[r * kPackedOutputs + job.only[i] - first];
      }
    }
  }
}

// Rows of gate and up take turns, as safetensors stores them: memory is read in order, and a pair
// is at hand for the activation.
void LinearRunner::RunPiece(const GateUpJob& job, const Piece& piece, float alpha, float limit,
                            Scratch& scratch) const {
  const ExpertWeights& expert = *job.expert;
  const WeightLayout layout = LayoutOf(expert.gate);
  const std::size_t count = piece.end - piece.begin;
  CHECK(count % 2 == 0 && piece.begin % 2 == 0);
  const std::size_t first = piece.begin / 2;
  scratch.rows.resize(count);
  scratch.bias.assign(RoundUp(count, kPackedOutputs), 0.0F);
  scratch.gate_up_bias.resize(count);
  const std::span<float> gate_bias = std::span(scratch.gate_up_bias).first(count / 2);
  const std::span<float> up_bias = std::span(scratch.gate_up_bias).last(count / 2);
  DequantizeVector(expert.gate_bias, first, gate_bias);
  DequantizeVector(expert.up_bias, first, up_bias);
  for (std::size_t o = 0; o < count / 2; ++o) {
    scratch.rows[2 * o] = RowOf(expert.gate, first + o);
    scratch.rows[2 * o + 1] = RowOf(expert.up, first + o);
    scratch.bias[2 * o] = gate_bias[o];
    scratch.bias[2 * o + 1] = up_bias[o];
  }
  scratch.kernel.Reserve(LinearScratchFloats(layout.columns));
  scratch.pairs.Reserve(job.x.size() * count);
  LinearTask task = {layout,       scratch.rows.data(),  count, scratch.bias.data(),  job.x.data(),
                     job.x.size(), scratch.pairs.data(), count, scratch.kernel.data()};
  if (const PackedMatrix* packed = Packed(&expert.gate)) {
    prepared_.Find(job.x, *packed, scratch.packed.rows);
    RunPacked(kernels_,
              {packed, bits_, piece.begin, count, scratch.bias.data(), scratch.pairs.data(), count},
              scratch.packed);
  } else if (SameLayout(layout, LayoutOf(expert.up))) {
    kernels_.linear(task);
  } else {  // a file that stores the two in different types: one output at a time
    task.outputs = 1;
    for (std::size_t o = 0; o < count; ++o) {
      task.layout = o % 2 == 0 ? layout : LayoutOf(expert.up);
      task.weights = &scratch.rows[o];
      task.bias = &scratch.bias[o];
      task.out = scratch.pairs.data() + o;
      kernels_.linear(task);
    }
  }
  for (std::size_t r = 0; r < job.x.size(); ++r) {
    kernels_.swiglu({scratch.pairs.data() + r * count, count / 2, alpha, limit,
                     job.out + r * job.out_stride + first});
  }
}

}  // namespace safeguard::engine::cpu
