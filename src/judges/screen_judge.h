// The screen as a Judge: milliseconds a content, sees everything first.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/result.h"
#include "moderation/judge.h"

namespace safeguard::judges {

struct ScreenOptions {
  std::string model_folder;                 // holds config.json, tokenizer.json, *.safetensors
  std::size_t threads = 1;                  // at least 1
  std::size_t content_bytes_max = 1 << 20;  // longer content is undetermined (content_too_long)
};

// Opens the embedding screen. Errors name the file that is missing or corrupt.
Result<std::unique_ptr<moderation::Judge>> OpenScreenJudge(const ScreenOptions& options);

}  // namespace safeguard::judges
