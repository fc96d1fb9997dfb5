// A folder for tests, with the config.json of a model small enough to be written in a millisecond.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/check.h"
#include "engine/model_synth.h"
#include "engine/synth/shapes.h"

namespace safeguard::engine {

class SynthFolder {
 public:
  SynthFolder() {
    path_ = (std::filesystem::temp_directory_path() / "safeguard_synth_XXXXXX").string();
    CHECK(::mkdtemp(path_.data()) != nullptr);
  }
  ~SynthFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  SynthFolder(const SynthFolder&) = delete;
  SynthFolder& operator=(const SynthFolder&) = delete;

  [[nodiscard]] std::string Path(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name), std::ios::binary) << text;
    return Path(name);
  }
  // Asks for a model of this shape. `out` is a name in the folder.
  [[nodiscard]] SynthRequest Request(const GptOssConfig& config, SynthFormat format,
                                     const std::string& out) const {
    SynthRequest request;
    request.shape = Write("shape.json", HuggingFaceConfigText(config));
    request.seed = 7;
    request.format = format;
    request.out = Path(out);
    return request;
  }

 private:
  std::string path_;
};

inline GptOssConfig SmallConfig() {
  GptOssConfig config;
  config.layers = 2;
  config.hidden = 96;
  config.intermediate = 64;
  config.heads = 6;
  config.kv_heads = 2;
  config.head_dim = 32;
  config.experts = 5;
  config.vocabulary = 300;
  config.sliding_window = 16;
  config.sliding = AlternatingLayers(config.layers);
  return config;
}

}  // namespace safeguard::engine
