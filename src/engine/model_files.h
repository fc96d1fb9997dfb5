// What a model's files hold, for people: its shape, its tensors, and whether the files are the ones
// that were published.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace safeguard::engine {

struct ModelTensor {
  std::string name;
  std::string type;                  // as the format writes it: "BF16", "U8", "MXFP4", ...
  std::vector<std::uint64_t> shape;  // outermost dimension first
  std::uint64_t bytes = 0;
  std::string file;
  bool used = true;  // false: gpt-oss has no place for a tensor of this name
};

struct ModelFileInfo {
  std::string path;
  std::uint64_t bytes = 0;
};

// One line of the shape, in words: {"layers", "24"}.
struct ModelSetting {
  std::string key;  // for machines: "layers"
  std::string what;
  double value = 0;
};

struct ModelInfo {
  std::string format;  // "Hugging Face", "original", "GGUF"
  std::vector<ModelSetting> settings;
  std::vector<bool> sliding;  // by layer
  std::uint64_t parameters = 0;
  std::string tokenizer;  // where it comes from
  std::vector<ModelTensor> tensors;
  std::vector<ModelFileInfo> files;
};

// Opens the model as for running it: every tensor's name, type and shape is checked, and the error
// lists each that is wrong.
Result<ModelInfo> ReadModelInfo(const std::string& path);

// SHA-256 of each file, in 64 hexadecimal digits; several files at once. `progress` is told the
// bytes read so far, from any thread but one at a time; false stops, and the result is empty.
Result<std::vector<std::string>> HashFiles(std::span<const std::string> paths, std::size_t threads,
                                           const std::function<bool(std::uint64_t)>& progress);

// The published SHA-256 of a file of this name and size, where we know it: the shards of
// openai/gpt-oss-20b. Only its ends are known: the first 8 and the last 4 digits.
struct PublishedFile {
  std::string_view model;
  std::string_view name;
  std::uint64_t bytes = 0;
  std::string_view begins;  // of the digest
  std::string_view ends;
};
const PublishedFile* FindPublished(std::string_view name, std::uint64_t bytes);

// One line of a list of sums, as sha256sum writes it.
struct ExpectedHash {
  std::string file;  // its last part
  std::string sha256;
};
// "DIGEST  NAME" a line ("*" before the name allowed); empty lines and those that begin with # are
// skipped. kInvalidInput names the line.
Result<std::vector<ExpectedHash>> ReadHashList(std::string_view text);

}  // namespace safeguard::engine
