// A small random BERT written to a folder, for tests that must run without model files.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "engine/model/safetensors.h"

namespace safeguard::engine {

struct TinyModel {
  std::size_t layers = 2;
  std::size_t hidden = 64;
  std::size_t heads = 2;
  std::size_t intermediate = 416;  // two whole input blocks and a short one
  std::size_t vocabulary = 50;
  std::size_t positions = 40;
  Dtype dtype = Dtype::kF16;
  std::string prefix = {};  // of the tensors' names
};

// A folder of its own under the system's, removed on destruction.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

void WriteText(const std::string& path, std::string_view text);

// config.json and model.safetensors, the same numbers for every dtype up to its rounding.
void WriteTinyModel(const TinyModel& model, const std::string& folder);

// The files of a model of pairs (pair_encoder.h) on such a base: config.json, and model.safetensors
// with layers of their own and a classifier.
struct TinyPair {
  std::size_t split = 1;
  std::size_t policy_tokens = 24;
  std::size_t content_tokens = 30;
};
void WriteTinyPair(const TinyModel& base, const TinyPair& pair, const std::string& folder);

// The text of such a config.json.
std::string TinyPairConfig(const TinyPair& pair);

}  // namespace safeguard::engine
