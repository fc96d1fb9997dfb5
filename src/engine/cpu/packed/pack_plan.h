// What of a model is packed, and where each matrix stands in one run of bytes.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/cpu/kernels/packed_linear.h"
#include "engine/cpu/packed/pack_group.h"
#include "engine/model/weights.h"

namespace safeguard::engine::cpu {

struct MatrixPlan {
  std::vector<const MatrixView*> sources;  // as PackSources
  PackedType type;
  bool rounded;       // the weights are not kept exactly
  std::size_t begin;  // of its first group; a multiple of a cache line

  [[nodiscard]] std::size_t outputs() const { return sources[0]->rows * sources.size(); }
  [[nodiscard]] std::size_t blocks() const { return sources[0]->columns / kPackedBlock; }
  [[nodiscard]] std::size_t groups() const {
    return (outputs() + kPackedOutputs - 1) / kPackedOutputs;
  }
  [[nodiscard]] std::size_t group_bytes() const { return PackedGroupBytes(type, blocks()); }
};

// Groups [first, first + count) of a matrix.
struct PackPiece {
  std::size_t matrix;
  std::size_t first;
  std::size_t count;
};

class PackPlan {
 public:
  // What PackedTypeOf allows of attention, experts and unembedding, without gaps. `weights` must
  // outlive the plan.
  PackPlan(const GptOssWeights& weights, DenseWeights dense);

  [[nodiscard]] const std::vector<MatrixPlan>& matrices() const { return matrices_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  // All of it, in the order of the bytes, in pieces for one thread.
  [[nodiscard]] const std::vector<PackPiece>& pieces() const { return pieces_; }
  [[nodiscard]] std::size_t BeginOf(const PackPiece& piece) const;
  [[nodiscard]] std::size_t BytesOf(const PackPiece& piece) const;
  // Writes the piece to `to`. False: a block has no place in the layout (PackGroup).
  bool Pack(const PackPiece& piece, std::byte* to) const;
  // The pages that hold a matrix's sources may leave memory. Only advice.
  void GiveBack(std::size_t matrix) const;
  // All that the bytes depend on besides the weights' values: formats, shapes, order.
  [[nodiscard]] std::string Layout() const;

 private:
  void Add(std::vector<const MatrixView*> sources, DenseWeights dense);

  std::vector<MatrixPlan> matrices_;
  std::vector<PackPiece> pieces_;
  std::size_t bytes_ = 0;
};

}  // namespace safeguard::engine::cpu
