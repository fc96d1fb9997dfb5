// Kernel tables compiled over emulated instructions, for tests on any processor.
#pragma once

#include <span>

#include "engine/encoder/kernels/kernel_table.h"

namespace safeguard::engine {

// The avx512 tables and amx; their `supported` speaks of the real processor and means nothing here.
std::span<const KernelTable* const> EmulatedKernels();

}  // namespace safeguard::engine
