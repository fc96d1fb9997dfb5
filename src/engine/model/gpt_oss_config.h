// The shape of a gpt-oss model: what config.json, original/config.json or a GGUF's metadata say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace safeguard::engine {

// YaRN, "NTK by parts" (Peng et al. 2023, arXiv:2309.00071): used at every position, also short of
// `original_context`. factor 1 is plain RoPE.
struct RopeConfig {
  double theta = 150'000;
  double factor = 32;
  double original_context = 4096;
  double beta_fast = 32;
  double beta_slow = 1;
  bool truncate = false;  // round the ends of the ramp to whole dimensions; gpt-oss does not
};

// gpt-oss-20b unless a checkpoint says otherwise. `hidden` and `intermediate` are multiples of 32
// (an MXFP4 block), `head_dim` is even, `heads` is a multiple of `kv_heads`.
struct GptOssConfig {
  std::size_t layers = 24;
  std::size_t hidden = 2880;
  std::size_t intermediate = 2880;
  std::size_t heads = 64;
  std::size_t kv_heads = 8;
  std::size_t head_dim = 64;
  std::size_t experts = 32;
  std::size_t experts_per_token = 4;
  std::size_t vocabulary = 201'088;
  std::size_t context_max = 131'072;  // positions
  std::size_t sliding_window = 128;   // keys that a sliding layer sees, the query's own included
  std::vector<bool> sliding;          // by layer; gpt-oss: every even one
  RopeConfig rope;
  float rms_epsilon = 1e-5F;
  float swiglu_limit = 7.0F;
  float swiglu_alpha = 1.702F;
};

// Why no model can have these numbers, in one line; empty when one can. Bounds every size that
// memory is later taken for.
std::string ConfigProblem(const GptOssConfig& config);

// gpt-oss's own pattern: even layers slide.
std::vector<bool> AlternatingLayers(std::size_t layers);

}  // namespace safeguard::engine
