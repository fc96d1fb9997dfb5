// The tensors of a GGUF as typed views: llama.cpp's names, and Ollama's where they differ (fused
// qkv, fused and interleaved gate and up, other names of norms). Problems are noted in the finder;
// the weights count only when there are none.
#pragma once

#include "engine/model/gpt_oss_config.h"
#include "engine/model/tensor_finder.h"
#include "engine/model/weights.h"

namespace safeguard::engine {

GptOssWeights GgufWeights(const GptOssConfig& config, TensorFinder& finder);

}  // namespace safeguard::engine
