// Small models with random weights in memory, of any shape and any mix of types, for tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "engine/model/gpt_oss_config.h"
#include "engine/model/weights.h"

namespace safeguard::engine::cpu {

// Rows of random numbers of some 1 / sqrt(columns), at odd addresses.
class RandomWeights {
 public:
  explicit RandomWeights(unsigned seed) : random_(seed) {}

  MatrixView Matrix(WeightType type, NibbleOrder order, std::size_t rows, std::size_t columns);
  VectorView Vector(std::size_t size, float mean, float deviation);

 private:
  std::byte* Bytes(std::size_t count);

  std::mt19937 random_;
  std::vector<std::unique_ptr<std::byte[]>> storage_;
};

struct RandomModel {
  GptOssConfig config;
  GptOssWeights weights;
  std::unique_ptr<RandomWeights> storage;
};

// `config.sliding` is filled in, alternating, when it is empty.
RandomModel NewRandomModel(GptOssConfig config, WeightType dense, NibbleOrder order, unsigned seed);

// A small config: 3 layers, 64 wide, 4 of 8 experts, 6 heads on 2, a window of 40.
GptOssConfig SmallConfig();

std::vector<std::uint32_t> RandomTokens(std::size_t count, std::size_t vocabulary, unsigned seed);

}  // namespace safeguard::engine::cpu
