// Writes gpt-oss models with random weights of true shapes and types, for tests and benchmarks:
// activations stay of order one through all layers, so that logits are as sharp as a real model's.
// For one seed every format holds the same numbers: the same MXFP4 blocks laid out anew, the same
// dense values up to the rounding of their type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace safeguard::engine {

enum class SynthFormat : std::uint8_t {
  kSafetensors,  // a Hugging Face folder: config.json, generation_config.json, shards, index
  kOriginal,     // config.json and model.safetensors as in OpenAI's original/ folder
  kGguf,         // one file, experts MXFP4, with tokenizer tables
};

// The type of a GGUF's embedding, unembedding and attention matrices.
enum class SynthDense : std::uint8_t { kQ8_0, kBF16, kF16 };

struct SynthRequest {
  std::string shape;  // "20b", "120b", "tiny" (two layers, the full vocabulary) or a config.json
  std::uint64_t seed = 1;
  SynthFormat format = SynthFormat::kSafetensors;
  SynthDense dense = SynthDense::kQ8_0;
  // The o200k rank file ("base64 rank" a line), for a GGUF's tokenizer tables; empty: the tables
  // hold the single bytes alone, and text becomes one token a byte.
  std::string_view rank_file;
  std::string out;         // the folder, created where missing; for GGUF the file
  bool overwrite = false;  // replace what is there; else it is an error
  std::size_t threads = 1;
  std::uint64_t shard_bytes_max = 4'800'000'000;  // of a Hugging Face folder's files; as published
  // Called with bytes written and bytes in all, now and then, from the calling thread; false stops.
  std::function<bool(std::uint64_t, std::uint64_t)> progress;
};

struct SynthResult {
  std::vector<std::string> files;  // paths
  std::uint64_t bytes = 0;         // of all
  bool stopped = false;            // `progress` said so: nothing unfinished is left behind
};

// An unknown shape: kInvalidInput. Not enough room on the disk: kUnavailable, told before anything
// is written.
Result<SynthResult> SynthesizeModel(const SynthRequest& request);

}  // namespace safeguard::engine
