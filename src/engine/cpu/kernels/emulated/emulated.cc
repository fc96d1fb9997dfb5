#include "engine/cpu/kernels/emulated/emulated.h"

namespace safeguard::engine::cpu {

#if defined(__x86_64__)
// The source's own table, renamed by the build.
extern const KernelTable kEmulatedAmxKernels;
#endif

std::vector<const KernelTable*> TestedKernels() {
  std::vector<const KernelTable*> tables(AllKernels().tables,
                                         AllKernels().tables + AllKernels().count);
#if defined(__x86_64__)
  tables.push_back(&kEmulatedAmxKernels);
#endif
  return tables;
}

std::string TestedName(const KernelTable& table) {
#if defined(__x86_64__)
  if (&table == &kEmulatedAmxKernels) {
    return std::string("emulated_") + table.name;
  }
#endif
  return table.name;
}

}  // namespace safeguard::engine::cpu
