// A kernel that is wrong on hardware its authors never saw must not be used.
#pragma once

#include "engine/cpu/kernels/kernel_table.h"

namespace safeguard::engine::cpu {

// Runs small linear layers over every weight type, attention, a norm and a SwiGLU through `table`
// and the reference; true when all agree within the precision of binary32. Takes some 100
// microseconds. REQUIRES: table.supported().
bool AgreesWithReference(const KernelTable& table);

}  // namespace safeguard::engine::cpu
