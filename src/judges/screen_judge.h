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
  std::string trained_folder{};             // of a trained screen on that model; empty: none
  std::size_t threads = 1;                  // at least 1
  std::size_t content_bytes_max = 1 << 20;  // longer content is undetermined (content_too_long)
};

// Opens the trained screen where its folder is given (config.json, model.safetensors), else the one
// that compares embeddings. Errors name the file that is missing, corrupt or made for another
// model.
Result<std::unique_ptr<moderation::Judge>> OpenScreenJudge(const ScreenOptions& options);

}  // namespace safeguard::judges
