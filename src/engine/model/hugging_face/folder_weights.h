// The tensors of a safetensors model as typed views, under Hugging Face's names or those of the
// original/ layout. Problems are noted in the finder; the weights count only when there are none.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "engine/model/hugging_face/config_json.h"
#include "engine/model/tensor_finder.h"
#include "engine/model/weights.h"

namespace safeguard::engine {

// Memory for experts that a file stores transposed.
using OwnedBytes = std::vector<std::unique_ptr<std::byte[]>>;

// Experts that are not MXFP4 come as [experts, in, out]: they are transposed into `owned`, which
// takes as much memory as they have bytes and must outlive the views.
GptOssWeights HuggingFaceWeights(const FolderConfig& config, TensorFinder& finder,
                                 OwnedBytes& owned);

// Nothing is copied: the original layout keeps one row an output throughout.
GptOssWeights OriginalWeights(const FolderConfig& config, TensorFinder& finder);

}  // namespace safeguard::engine
