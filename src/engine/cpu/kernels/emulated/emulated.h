// The AMX table compiled over emulated tiles, for tests on processors that have AVX-512 without
// them, and with it all tables that are worth testing.
#pragma once

#include <string>
#include <vector>

#include "engine/cpu/kernels/kernel_table.h"

namespace safeguard::engine::cpu {

// Those built into this binary, best first; behind them AMX over emulated tiles, whose `supported`
// tells whether the processor has what the emulation leaves to it.
std::vector<const KernelTable*> TestedKernels();

// "avx2", "emulated_amx": a name of its own for each.
std::string TestedName(const KernelTable& table);

}  // namespace safeguard::engine::cpu
