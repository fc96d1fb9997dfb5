#include "engine/cpu/kernels/kernel_table.h"

#include <array>
#include <cstdlib>
#include <string_view>

#include "engine/cpu/kernels/self_check.h"

namespace safeguard::engine::cpu {
namespace {

constexpr std::array kTables = {
#if defined(__x86_64__)
    &kAmxKernels,       &kAvx512Bf16Kernels, &kAvx512VnniKernels, &kAvx512Kernels, &kAvx2Kernels,
#endif
    &kReferenceKernels,
};

}  // namespace

KernelTables AllKernels() {
  return {kTables.data(), kTables.size()};
}

const KernelTable& ChooseKernels(const char* forced) {
  for (const KernelTable* table : kTables) {
    const bool wanted = forced == nullptr || std::string_view(forced) == table->name;
    if (wanted && table->supported() && AgreesWithReference(*table)) {
      return *table;
    }
  }
  return kReferenceKernels;
}

const KernelTable& BestKernels() {
  static const KernelTable& best = ChooseKernels(std::getenv("SAFEGUARD_KERNELS"));
  return best;
}

}  // namespace safeguard::engine::cpu
