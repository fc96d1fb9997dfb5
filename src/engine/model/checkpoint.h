// A gpt-oss checkpoint of any format, mapped and checked: the Hugging Face folder (config.json,
// model*.safetensors, tokenizer.json), the `original/` layout, or one GGUF file.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/model/gpt_oss_config.h"
#include "engine/model/weights.h"

namespace safeguard::engine {

enum class CheckpointFormat : std::uint8_t { kHuggingFace, kOriginal, kGguf };

const char* ToString(CheckpointFormat format);

// One tensor as the file has it, for `model info`.
struct CheckpointTensor {
  std::string name;
  std::string type;                  // as the format writes it: "BF16", "U8", "MXFP4", ...
  std::vector<std::uint64_t> shape;  // outermost dimension first, in every format
  std::uint64_t bytes = 0;
  std::string file;  // name of the file it lies in
  bool used = true;  // false: gpt-oss has no place for a tensor of this name
};

// The checkpoint's own tokenizer. Empty when it brings none: use the built-in o200k_harmony.
struct CheckpointTokenizer {
  std::string tokenizer_json_path;        // Hugging Face
  std::vector<std::string_view> tokens;   // GGUF: byte-to-unicode spelling, by id
  std::vector<std::string_view> merges;   // GGUF: "left right", by rank
  std::vector<std::int32_t> token_types;  // GGUF: 1 normal, 3 control, ...
};

// Immutable; may be read from several threads. Keeps its files mapped: views die with it.
class Checkpoint {
 public:
  // `path`: a folder or a file (.gguf, or a .safetensors with its config.json beside it). A folder
  // with only original/ below it is read from there. Experts that a Hugging Face folder stores
  // dequantised, [experts, in, out], are transposed into memory of their own size. Every
  // tensor the model needs is looked up and its type and shape checked at once; the error lists
  // each that is wrong, by name. Headers are hostile input: kCorruptFile, never a crash.
  static Result<std::unique_ptr<Checkpoint>> Open(const std::string& path);
  virtual ~Checkpoint() = default;

  [[nodiscard]] virtual CheckpointFormat format() const = 0;
  [[nodiscard]] virtual const GptOssConfig& config() const = 0;
  [[nodiscard]] virtual const GptOssWeights& weights() const = 0;
  [[nodiscard]] virtual const CheckpointTokenizer& tokenizer() const = 0;
  [[nodiscard]] virtual std::span<const CheckpointTensor> tensors() const = 0;
  // The weight files, for sizes and hashes.
  [[nodiscard]] virtual std::span<const std::string> files() const = 0;
};

}  // namespace safeguard::engine
