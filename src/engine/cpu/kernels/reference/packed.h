#pragma once

#include "engine/cpu/kernels/packed_linear.h"

namespace safeguard::engine::cpu {

void ReferencePrepare(const PrepareTask& task);
void ReferencePackedLinear(const PackedTask& task);

}  // namespace safeguard::engine::cpu
