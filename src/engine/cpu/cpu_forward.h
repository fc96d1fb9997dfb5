// The Forward interface on the CPU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/thread_pool.h"
#include "engine/model/forward.h"
#include "engine/model/gpt_oss_config.h"
#include "engine/model/weights.h"
#include "engine/model_precision.h"
#include "engine/packed_file.h"

namespace safeguard::engine {

namespace cpu {
struct KernelTable;
}

// Differences are of whole logits from binary32, on the golden checkpoints.
enum class CpuPrecision : std::uint8_t {
  kDefault,  // as ModelPrecision
  // Exact weights, activations, keys and values in binary32.
  kF32,
  // MXFP4 and Q8_0 weights stay exact and meet activations of 16 bits with a scale per 32 columns
  // (kernels/packed_linear.h): some 3e-5 off. Other weights as kF32.
  kInt16,
  // Activations of 8 bits, and dense weights as Q8_0, as llama.cpp computes: some 1e-2 off, and now
  // and then another expert is chosen. Twice as fast in long prompts.
  kInt8,
  // Activations of bfloat16 and weights exact in it (of Q8_0 rounded to it), sums in binary32: some
  // 1e-2 off. Fast where the processor multiplies bfloat16, with AMX above all.
  kBf16,
  // As kInt16, with keys and values kept as binary16: half the memory of a sequence, some 5e-4 off;
  // where two experts are about equally wanted, now and then by more.
  kHalfCache,
};

CpuPrecision CpuPrecisionOf(ModelPrecision precision);

namespace cpu {
enum class DenseWeights : std::uint8_t;
// How a precision packs weights other than MXFP4 and Q8_0.
DenseWeights DenseFor(CpuPrecision precision);
}  // namespace cpu

struct CpuForwardOptions {
  CpuPrecision precision = CpuPrecision::kDefault;
  // Of key and value pages.
  std::size_t cache_bytes_max = std::numeric_limits<std::size_t>::max();
  // Rows that go through the layers together, which bounds the memory of activations (some 150 KB
  // a row for gpt-oss-20b). A longer step is cut; results do not change. At least 1.
  std::size_t rows_max = 512;
  // "reference", "avx2", "avx512", "avx512vnni", "avx512bf16", "amx"; empty: SAFEGUARD_KERNELS,
  // else the best that this CPU runs.
  std::string kernels;
  const cpu::KernelTable* table =
      nullptr;  // that very one, unchecked: for tests over emulated tiles
  // The file of packed weights, and the checkpoint's files that it belongs to.
  PackedFileOptions packed_file;
  std::vector<std::string> weight_files;
  // For comparing with another implementation: called after each block with the rows that have
  // just passed it, `hidden` floats each, in the order of the steps' tokens.
  std::function<void(std::size_t layer, std::span<const float> residual)> residual_observer;
};

// Where the packed weights are is told in `packed`, if it is not null. `weights` and `pool` must
// outlive the result. REQUIRES: the weights have the config's shapes (Checkpoint::Open has checked
// them). Options that cannot be met: kInvalidInput.
Result<std::unique_ptr<Forward>> NewCpuForward(const GptOssConfig& config,
                                               const GptOssWeights& weights,
                                               const CpuForwardOptions& options, ThreadPool& pool,
                                               PackedReport* packed = nullptr);

}  // namespace safeguard::engine
