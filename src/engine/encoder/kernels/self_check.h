// A kernel that is wrong on hardware its authors never saw must not be used.
#pragma once

#include "engine/encoder/kernels/kernel_table.h"

namespace safeguard::engine {

// Runs a small linear layer, one attention head, a layer norm and a GELU through `table` and the
// reference; true when all agree within the table's precision. Takes some 100 microseconds.
// REQUIRES: table.supported().
bool AgreesWithReference(const KernelTable& table);

}  // namespace safeguard::engine
