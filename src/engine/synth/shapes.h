// The shapes that can be asked for, and the config files that describe them.
#pragma once

#include <string>

#include "base/result.h"
#include "engine/model/gpt_oss_config.h"

namespace safeguard::engine {

// "20b", "120b", "tiny", or the path of a config.json of either layout.
Result<GptOssConfig> ReadShape(const std::string& shape);

// What the folders hold: config.json with the published model's keys, and its companions.
std::string HuggingFaceConfigText(const GptOssConfig& config);
std::string OriginalConfigText(const GptOssConfig& config);
std::string GenerationConfigText(const GptOssConfig& config);

// The id that plays the part of `id` (a control token of o200k_harmony) in this vocabulary: itself
// where there is room, else the last one.
std::size_t ControlToken(const GptOssConfig& config, std::size_t id);

}  // namespace safeguard::engine
