// What stands before the tensors' bytes in a file, and where each tensor lies.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/model/gpt_oss_config.h"
#include "engine/synth/tensor_plan.h"
#include "engine/synth/token_tables.h"

namespace safeguard::engine {

struct PlannedFile {
  std::string path;
  std::string header;
  std::vector<PlannedTensor> tensors;
  std::vector<std::uint64_t> offsets;  // of each tensor, from the start of the file
  std::uint64_t bytes = 0;             // of the whole file
};

PlannedFile PlanSafetensorsFile(std::string path, std::vector<PlannedTensor> tensors);

PlannedFile PlanGgufFile(std::string path, const GptOssConfig& config, const TokenTables& tables,
                         const std::string& name, std::vector<PlannedTensor> tensors);

}  // namespace safeguard::engine
