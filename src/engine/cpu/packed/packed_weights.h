// The packed copy of a model's weights, in memory of huge pages where the system has them: reading
// it takes half as long as reading the same bytes in small pages.
#pragma once

#include <cstddef>
#include <memory>
#include <unordered_map>

#include "base/result.h"
#include "base/thread_pool.h"
#include "engine/cpu/kernels/packed_linear.h"
#include "engine/model/weights.h"

namespace safeguard::engine::cpu {

struct PackedMatrix {
  PackedType type = PackedType::kMxfp4;
  const std::byte* data = nullptr;
  std::size_t outputs = 0;
  std::size_t columns = 0;
};

// Immutable; may be read from several threads.
class PackedWeights {
 public:
  // Packs what PackedTypeOf allows of attention, experts and unembedding. The pages of `weights`
  // that were packed are given back to the system as it goes, so both are never in memory whole.
  // No memory: kUnavailable.
  static Result<std::unique_ptr<PackedWeights>> Pack(const GptOssWeights& weights, bool round_dense,
                                                     ThreadPool& pool);
  ~PackedWeights();
  PackedWeights(const PackedWeights&) = delete;
  PackedWeights& operator=(const PackedWeights&) = delete;

  // The packed copy of a matrix of `weights`, by its address; an expert's gate stands for its gate
  // and up, whose rows take turns. Null: not packed.
  [[nodiscard]] const PackedMatrix* Find(const MatrixView* matrix) const;
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  PackedWeights(std::byte* memory, std::size_t bytes) : memory_(memory), bytes_(bytes) {}

  std::byte* memory_;
  std::size_t bytes_;
  std::unordered_map<const MatrixView*, PackedMatrix> matrices_;
};

}  // namespace safeguard::engine::cpu
