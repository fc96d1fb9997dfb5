#include "engine/encoder/kernels/emulated/emulated.h"

#include <array>

namespace safeguard::engine {

// The sources' own tables, renamed by the build.
extern const KernelTable kEmulatedAvx512Kernels;
extern const KernelTable kEmulatedAvx512Int8Kernels;
extern const KernelTable kEmulatedAmxKernels;

std::span<const KernelTable* const> EmulatedKernels() {
  static constexpr std::array kTables = {&kEmulatedAvx512Kernels, &kEmulatedAvx512Int8Kernels,
                                         &kEmulatedAmxKernels};
  return kTables;
}

}  // namespace safeguard::engine
