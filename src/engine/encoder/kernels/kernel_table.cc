#include "engine/encoder/kernels/kernel_table.h"

#include <array>
#include <cstdlib>
#include <string_view>

#include "engine/encoder/kernels/self_check.h"

namespace safeguard::engine {
namespace {

// Best first. AMX multiplies sixteen times as fast in bf16 as AVX-512 in bytes; AVX2 multiplies
// bytes no faster than 16-bit numbers, which are more exact.
constexpr std::array kTables = {
#if defined(__x86_64__)
    &kAmxKernels,       &kAvx512Int8Kernels,   &kAvx512Kernels, &kAvx2Kernels, &kAvx2Int8Kernels,
#endif
    &kReferenceKernels, &kPortableInt8Kernels,
};

bool Wanted(const KernelTable& table, const char* forced, const char* precision) {
  // The reasoner has tables of AVX-512 that are not here ("avx512vnni", "avx512bf16").
  const std::string_view name = forced == nullptr ? "" : forced;
  if (forced != nullptr && (name.starts_with("avx512") ? "avx512" : name) != table.name) {
    return false;
  }
  return precision == nullptr ||
         (std::string_view(precision) == "8") == (table.precision == Precision::k8Bit);
}

}  // namespace

KernelTables AllKernels() {
  return {kTables.data(), kTables.size()};
}

const KernelTable& ChooseKernels(const char* forced, const char* precision) {
  for (const KernelTable* table : kTables) {
    if (Wanted(*table, forced, precision) && table->supported() && AgreesWithReference(*table)) {
      return *table;
    }
  }
  const bool bytes = precision != nullptr && std::string_view(precision) == "8";
  return bytes ? kPortableInt8Kernels : kReferenceKernels;
}

const KernelTable& BestKernels() {
  static const KernelTable& best =
      ChooseKernels(std::getenv("SAFEGUARD_KERNELS"), std::getenv("SAFEGUARD_SCREEN_PRECISION"));
  return best;
}

}  // namespace safeguard::engine
