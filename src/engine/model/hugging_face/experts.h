// The expert tensors of a safetensors model: [experts, rows, columns] in one, as views of each.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/model/gpt_oss_config.h"
#include "engine/model/hugging_face/folder_weights.h"
#include "engine/model/tensor_finder.h"

namespace safeguard::engine {

// One matrix an expert. Empty when a problem was noted.
using ExpertMatrices = std::vector<MatrixView>;

// U8 `blocks` [experts, rows, columns / 32, 16] and U8 `scales` [experts, rows, columns / 32].
ExpertMatrices Mxfp4Experts(TensorFinder& finder, const std::string& blocks,
                            const std::string& scales, std::size_t experts, std::size_t rows,
                            std::size_t columns);
// F32, F16 or BF16 [experts, rows, columns].
ExpertMatrices PlainExperts(TensorFinder& finder, const std::string& name, std::size_t experts,
                            std::size_t rows, std::size_t columns);
// F32, F16 or BF16 [experts, columns, rows], transposed into `owned`.
ExpertMatrices TransposedExperts(TensorFinder& finder, const std::string& name, std::size_t experts,
                                 std::size_t rows, std::size_t columns, OwnedBytes& owned);

// Puts together what the tensors hold: gate and up interleaved, even rows gate.
std::vector<ExpertWeights> InterleavedExperts(const GptOssConfig& config, TensorFinder& finder,
                                              const ExpertMatrices& gate_up,
                                              const std::string& gate_up_bias,
                                              const ExpertMatrices& down,
                                              const std::string& down_bias);

}  // namespace safeguard::engine
