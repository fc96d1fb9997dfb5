// The tokenizer that a command line names.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "engine/bpe.h"

namespace safeguard::apps {

// `path`: a checkpoint (folder or .gguf) or a tokenizer.json; empty: the built-in o200k_harmony,
// whose rank file is looked for as `model_flag` says (model_folders.h).
Result<std::unique_ptr<engine::Bpe>> OpenTokenizer(const std::string& path,
                                                   const std::string& model_flag);

}  // namespace safeguard::apps
