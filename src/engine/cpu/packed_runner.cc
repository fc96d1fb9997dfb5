#include "engine/cpu/packed_runner.h"

#include <algorithm>

#include "base/check.h"

namespace safeguard::engine::cpu {
namespace {

// Rows that a thread prepares at a time.
constexpr std::size_t kRowsAtATime = 4;

}  // namespace

void PreparedRows::Add(std::span<const float* const> x, const PackedMatrix& matrix) {
  blocks_ = matrix.columns / kPackedBlock;
  Places& places = places_.at(static_cast<std::size_t>(matrix.type));
  if (in_order_ && !places.try_emplace(x.data(), sources_.size()).second) {
    return;
  }
  for (const float* row : x) {
    if (in_order_ || places.try_emplace(row, sources_.size()).second) {
      sources_.push_back({row, matrix.type});
    }
  }
}

void PreparedRows::Make(const KernelTable& kernels, ActivationBits bits, ThreadPool& pool) {
  const std::size_t stride = PreparedRowBytes(blocks_);
  memory_.Reserve(sources_.size() * stride / sizeof(float));
  auto* memory = reinterpret_cast<std::byte*>(memory_.data());
  const std::size_t pieces = (sources_.size() + kRowsAtATime - 1) / kRowsAtATime;
  pool.ParallelFor(pieces, [&](std::size_t piece, std::size_t) {
    const std::size_t end = std::min(sources_.size(), (piece + 1) * kRowsAtATime);
    for (std::size_t i = piece * kRowsAtATime; i < end; ++i) {
      kernels.prepare({sources_[i].type, bits, sources_[i].x, blocks_, memory + i * stride});
    }
  });
}

void PreparedRows::Find(std::span<const float* const> x, const PackedMatrix& matrix,
                        std::vector<const std::byte*>& rows) const {
  const auto* memory = reinterpret_cast<const std::byte*>(memory_.data());
  const std::size_t stride = PreparedRowBytes(blocks_);
  const Places& places = places_.at(static_cast<std::size_t>(matrix.type));
  rows.clear();
  const auto place_of = [&](const void* key) {
    const auto place = places.find(key);
    CHECK(place != places.end());
    return place->second;
  };
  const std::size_t first = in_order_ ? place_of(x.data()) : 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    rows.push_back(memory + (in_order_ ? first + i : place_of(x[i])) * stride);
  }
}

void RunPacked(const KernelTable& kernels, const PackedPiece& piece, PackedScratch& scratch) {
  const PackedMatrix& matrix = *piece.matrix;
  const std::size_t blocks = matrix.columns / kPackedBlock;
  CHECK(piece.begin % kPackedOutputs == 0 && piece.begin + piece.count <= matrix.outputs);
  scratch.kernel.Reserve(kPackedScratchFloats);
  const std::byte* group =
      matrix.data + piece.begin / kPackedOutputs * PackedGroupBytes(matrix.type, blocks);
  kernels.packed_linear({matrix.type, piece.bits, group, blocks, piece.count, piece.bias,
                         scratch.rows.data(), scratch.rows.size(), piece.out, piece.out_stride,
                         scratch.kernel.data()});
}

}  // namespace safeguard::engine::cpu
