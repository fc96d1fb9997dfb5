#include "engine/model/gpt_oss_config.h"

#include <cmath>

namespace safeguard::engine {
namespace {

constexpr std::size_t kBlock = 32;  // numbers in an MXFP4 block

struct Range {
  const char* what;
  std::size_t value;
  std::size_t max;
};

}  // namespace

std::string ConfigProblem(const GptOssConfig& config) {
  const Range ranges[] = {
      {"layers", config.layers, 1024},
      {"the hidden size", config.hidden, 65'536},
      {"the intermediate size", config.intermediate, 262'144},
      {"attention heads", config.heads, 1024},
      {"key-value heads", config.kv_heads, config.heads},
      {"the head dimension", config.head_dim, 1024},
      {"experts", config.experts, 4096},
      {"experts per token", config.experts_per_token, config.experts},
      {"the vocabulary", config.vocabulary, 4'194'304},
      {"the context length", config.context_max, 1 << 30},
      {"the sliding window", config.sliding_window, 1 << 30},
  };
  for (const Range& range : ranges) {
    if (range.value < 1 || range.value > range.max) {
      return std::string(range.what) + " must be from 1 to " + std::to_string(range.max) +
             ", not " + std::to_string(range.value);
    }
  }
  if (config.hidden % kBlock != 0 || config.intermediate % kBlock != 0) {
    return "the hidden and the intermediate size must be multiples of 32, not " +
           std::to_string(config.hidden) + " and " + std::to_string(config.intermediate);
  }
  if (config.head_dim % 2 != 0) {
    return "the head dimension must be even, not " + std::to_string(config.head_dim);
  }
  if (config.heads % config.kv_heads != 0) {
    return std::to_string(config.heads) + " attention heads cannot share " +
           std::to_string(config.kv_heads) + " key-value heads evenly";
  }
  if (config.sliding.size() != config.layers) {
    return "there are " + std::to_string(config.layers) + " layers, but the types of " +
           std::to_string(config.sliding.size());
  }
  const RopeConfig& rope = config.rope;
  if (!(rope.theta > 1) || !(rope.factor >= 1) || !(rope.original_context >= 1) ||
      !(rope.beta_fast > 0) || !(rope.beta_slow > 0) || !std::isfinite(rope.theta) ||
      !std::isfinite(rope.factor)) {
    return "the rope settings are out of range";
  }
  if (!(config.rms_epsilon > 0) || !(config.swiglu_limit > 0) || !(config.swiglu_alpha > 0)) {
    return "the norm's epsilon and the SwiGLU's limit must be above 0";
  }
  return "";
}

std::vector<bool> AlternatingLayers(std::size_t layers) {
  std::vector<bool> sliding(layers);
  for (std::size_t i = 0; i < layers; i += 2) {
    sliding[i] = true;
  }
  return sliding;
}

}  // namespace safeguard::engine
