// The packed weights of a model: in memory, or mapped from a file.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>

#include "base/result.h"
#include "base/thread_pool.h"
#include "engine/cpu/kernels/packed_linear.h"
#include "engine/cpu/packed/pack_plan.h"
#include "engine/cpu/packed/packed_memory.h"
#include "engine/model/weights.h"
#include "engine/packed_file.h"

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
  // Packs what PackPlan allows, into memory. The pages of `weights` that were packed are given back
  // to the system as it goes, so both are never in memory whole. No memory: kUnavailable.
  static Result<std::unique_ptr<PackedWeights>> Pack(const GptOssWeights& weights,
                                                     DenseWeights dense, ThreadPool& pool);
  // The same bytes from the file that `options` ask for; it is made where there is none. What goes
  // wrong with the file is told, and the weights are packed into memory. `files` hold `weights`.
  static Result<std::unique_ptr<PackedWeights>> Open(const GptOssWeights& weights,
                                                     DenseWeights dense,
                                                     std::span<const std::string> files,
                                                     const PackedFileOptions& options,
                                                     ThreadPool& pool);

  // The packed copy of a matrix of `weights`, by its address; an expert's gate stands for its gate
  // and up, whose rows take turns. Null: not packed.
  [[nodiscard]] const PackedMatrix* Find(const MatrixView* matrix) const;
  [[nodiscard]] std::size_t bytes() const { return report_.bytes; }
  [[nodiscard]] const PackedReport& report() const { return report_; }

 private:
  PackedWeights() = default;

  // `packed` by matrix of the plan.
  void Index(const PackPlan& plan, std::span<const std::uint8_t> packed, const std::byte* data);
  static Result<std::unique_ptr<PackedWeights>> InMemory(const PackPlan& plan, ThreadPool& pool);

  PackedMemory memory_;
  PackedReport report_;
  std::unordered_map<const MatrixView*, PackedMatrix> matrices_;
};

}  // namespace safeguard::engine::cpu
