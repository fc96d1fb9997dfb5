// config.json of a Hugging Face folder, and original/config.json, to one GptOssConfig.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "engine/model/config_file.h"
#include "engine/model/gpt_oss_config.h"

namespace safeguard::engine {

// How the file stores what multiplies an expert's input.
enum class ExpertStorage : std::uint8_t { kMxfp4, kPlain };

struct FolderConfig {
  GptOssConfig model;
  bool tied = false;  // the embedding is the unembedding too
  // What quantization_config says. Hugging Face only; the tensors decide in the original layout.
  ExpertStorage experts = ExpertStorage::kMxfp4;
};

// Whether the file speaks the names of original/config.json.
bool IsOriginalConfig(const ConfigFile& file);

// Another architecture, or a setting that the forward pass does not have: kInvalidInput; a value
// that is missing or out of range: kCorruptFile. Absent optional keys have gpt-oss's defaults.
Result<FolderConfig> ReadHuggingFaceConfig(const ConfigFile& file);
Result<FolderConfig> ReadOriginalConfig(const ConfigFile& file);

}  // namespace safeguard::engine
