// A GGUF's metadata as a GptOssConfig, and the tokenizer it carries. Architectures "gpt-oss"
// (llama.cpp) and "gptoss" (Ollama).
#pragma once

#include "base/result.h"
#include "engine/model/checkpoint.h"
#include "engine/model/gguf/gguf_file.h"
#include "engine/model/gpt_oss_config.h"

namespace safeguard::engine {

// Another architecture, a part of a split file, or a setting that the forward pass does not have:
// kInvalidInput; a value that is missing or out of range: kCorruptFile. The vocabulary's size is
// that of token_embd.weight. Absent optional keys have gpt-oss's defaults.
Result<GptOssConfig> ReadGgufConfig(const GgufFile& file);

// Empty where the file brings no "gpt2" tokenizer. Views into the file.
Result<CheckpointTokenizer> ReadGgufTokenizer(const GgufFile& file, std::size_t vocabulary);

}  // namespace safeguard::engine
