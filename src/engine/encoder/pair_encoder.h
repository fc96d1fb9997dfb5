// PairEncoder::Load for a given kernel table: what tests and benchmarks compare.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "engine/encoder/kernels/kernel_table.h"
#include "engine/pair_encoder.h"

namespace safeguard::engine {

// REQUIRES: kernels.supported().
Result<std::unique_ptr<PairEncoder>> LoadPairEncoder(const std::string& base_folder,
                                                     const std::string& folder,
                                                     const KernelTable& kernels);

}  // namespace safeguard::engine
