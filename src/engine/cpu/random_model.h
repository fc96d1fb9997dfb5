// Small models with random weights in memory, of any shape and any mix of types, for tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "engine/cpu/kernels/kernel_table.h"
#include "engine/model/gpt_oss_config.h"
#include "engine/model/weights.h"

namespace safeguard::engine::cpu {

// The thread sanitizer slows this module some twentyfold: under it only tests with threads run, and
// not with the reference kernels, which do in scalars what the others do in registers.
#if defined(__SANITIZE_THREAD__)
inline constexpr bool kThreadSanitizer = true;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif
#else
inline constexpr bool kThreadSanitizer = false;
#endif

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

// Tests with this table are worth their time: the processor runs it, and see kThreadSanitizer.
bool WorthTesting(const KernelTable& table);

std::vector<std::uint32_t> RandomTokens(std::size_t count, std::size_t vocabulary, unsigned seed);

}  // namespace safeguard::engine::cpu
