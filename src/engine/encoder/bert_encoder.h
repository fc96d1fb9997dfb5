// Encoder::Load for a given kernel table: what tests and benchmarks compare.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "base/thread_pool.h"
#include "engine/encoder.h"
#include "engine/encoder/kernels/kernel_table.h"

namespace safeguard::engine {

// REQUIRES: kernels.supported().
Result<std::unique_ptr<Encoder>> LoadBertEncoder(const std::string& folder,
                                                 const KernelTable& kernels);
// Encoder::LoadTuned; an empty `tuned_folder` is Encoder::Load.
Result<std::unique_ptr<Encoder>> LoadBertEncoder(const std::string& folder,
                                                 const std::string& tuned_folder,
                                                 const KernelTable& kernels);

// EncoderArithmetic with these kernels.
std::string ArithmeticOf(const KernelTable& kernels);

// The one model*.safetensors in `folder`. None: kNotFound; several: kInvalidInput, naming them.
Result<std::string> FindWeightFile(const std::string& folder);

}  // namespace safeguard::engine
