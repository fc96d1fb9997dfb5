#include <chrono>
#include <memory>

#include "base/thread_pool.h"
#include "engine/cpu/cpu_forward.h"
#include "engine/cpu/packed/pack_plan.h"
#include "engine/cpu/packed/packed_store.h"
#include "engine/model/checkpoint.h"
#include "engine/packed_file.h"

namespace safeguard::engine {

Result<PackedReport> PackModel(const std::string& path, ModelPrecision precision,
                               const PackedFileOptions& options, std::size_t threads) {
  const Result<ModelPrecision> definite = DefinitePrecision(precision);
  if (!definite) {
    return std::unexpected(definite.error());
  }
  if (*definite == ModelPrecision::kF32) {
    return Fail(ErrorCode::kInvalidInput, "f32 computes with the weights as they are stored",
                "pack for int16, int8 or bf16");
  }
  const Result<std::unique_ptr<Checkpoint>> checkpoint = Checkpoint::Open(path);
  if (!checkpoint) {
    return std::unexpected(checkpoint.error());
  }
  ThreadPool pool(threads);
  const auto begin = std::chrono::steady_clock::now();
  const auto seconds = [begin] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  const cpu::PackPlan plan((*checkpoint)->weights(), cpu::DenseFor(CpuPrecisionOf(*definite)));
  if (plan.bytes() == 0) {
    return Fail(ErrorCode::kInvalidInput, "nothing in this model can be packed exactly",
                "it runs as it is; --precision bf16 packs bfloat16 weights, int8 rounds them");
  }
  auto store = cpu::PackedStore::Open(plan, (*checkpoint)->files(), options, pool);
  if (!store) {
    return std::unexpected(store.error());
  }
  if (const auto found = store->Find()) {
    return PackedReport{PackedState::kMapped, found->path, plan.bytes(), seconds()};
  }
  const auto made = store->Make();
  if (!made) {
    return std::unexpected(made.error());
  }
  return PackedReport{made->made ? PackedState::kMade : PackedState::kMapped, made->path,
                      plan.bytes(), seconds()};
}

}  // namespace safeguard::engine
