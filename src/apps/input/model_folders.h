// Where model files are looked for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace safeguard::apps {

inline constexpr const char* kScreenModel = "minilm-l6-v2";
inline constexpr const char* kTrainedScreen = "screen";  // beside it
inline constexpr const char* kRankFile = "o200k/o200k_base.tiktoken";

// The folders to look in, first one first: `model_flag` alone where given, else $SAFEGUARD_MODELS
// alone where set, else `models` beside the executable and ../share/safeguard/models.
std::vector<std::string> ModelFolders(const std::string& model_flag);

// The first of `folders` that holds `name` (a file or folder), as a path; a folder that is itself
// called `name` is taken as it is. Missing: one line that says where it was looked for and what to
// run.
Result<std::string> FindModelPath(std::string_view name, const std::vector<std::string>& folders);

// The screen's models: its encoder, and what was trained on it.
struct ScreenFolders {
  std::string base;
  std::string trained;  // empty: none
};

// `screen` is "auto" (the trained one where it stands beside the encoder's folder), "trained"
// (which fails where it is not there) or "embedding".
Result<ScreenFolders> FindScreen(const std::string& model_flag, std::string_view screen);

}  // namespace safeguard::apps
