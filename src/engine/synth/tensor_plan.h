// What a file to be written holds: each tensor as one or more sources of rows, which can be made in
// any order and from several threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/model/gpt_oss_config.h"
#include "engine/model_synth.h"
#include "engine/synth/noise.h"

namespace safeguard::engine {

enum class SourceType : std::uint8_t {
  kBF16,
  kF16,
  kF32,
  kQ8_0,
  kMxfp4Codes,   // 16 bytes a block, adjacent nibbles
  kMxfp4Scales,  // 1 byte a block
  kMxfp4Gguf,    // 17 bytes a block, nibbles in halves
};

// Rows of random numbers. Row r of the file is row
// (r / group) * group * stride + r % group * stride + first of the numbers: with stride 2 the even
// or odd rows of each group of a matrix that other formats keep interleaved.
struct RowSource {
  SourceType type = SourceType::kBF16;
  Noise noise;
  std::uint64_t rows = 0;
  std::uint64_t columns = 0;  // numbers a row
  float mean = 0;
  float deviation = 1;
  std::uint8_t scale = 127;  // MXFP4: the middle one of the block scales
  std::uint64_t group = 1;
  std::uint64_t stride = 1;
  std::uint64_t first = 0;

  [[nodiscard]] std::uint64_t RowBytes() const;
  // Rows [begin, end) into `out`, which has (end - begin) * RowBytes() bytes.
  void Fill(std::uint64_t begin, std::uint64_t end, std::span<std::byte> out) const;
};

struct PlannedTensor {
  std::string name;
  std::vector<std::uint64_t> shape;  // outermost dimension first
  std::vector<RowSource> sources;    // one after another

  [[nodiscard]] std::uint64_t bytes() const;
};

// The tensors of a model in the order of the network. Numbers are named by the Hugging Face name
// of the tensor that holds them, so that they are the same in every format.
std::vector<PlannedTensor> PlanHuggingFace(const GptOssConfig& config, std::uint64_t seed);
std::vector<PlannedTensor> PlanOriginal(const GptOssConfig& config, std::uint64_t seed);
std::vector<PlannedTensor> PlanGguf(const GptOssConfig& config, std::uint64_t seed,
                                    SynthDense dense);

}  // namespace safeguard::engine
