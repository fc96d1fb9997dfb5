// What this machine can do at most, measured in about a second: the yardstick of `safeguard bench`.
#pragma once

#include <cstddef>

namespace safeguard::engine {

// Over all threads together. A rate that this processor has no instruction for is 0.
struct MachineLimits {
  double read_gb_s = 0;    // 10^9 bytes a second read from memory, far beyond the caches
  double f32_gmac_s = 0;   // 10^9 multiply-adds a second: fused, binary32
  double bf16_gmac_s = 0;  // the same: pairs of bfloat16 into binary32 (AVX512_BF16)
  double int8_gmac_s = 0;  // the same: quadruples of bytes into 32 bits (AVX512_VNNI)
  // The same: bfloat16 by tiles (AMX). Tiles of bytes are twice as fast, but only over 64 columns
  // at a time; with a scale per 32 columns, as these models' weights have, they come to this rate.
  double amx_bf16_gmac_s = 0;
  // The fastest of the rates.
  [[nodiscard]] double BestGmac() const;
};

// The larger one of each: limits are what can be reached, and what disturbs a machine only slows.
MachineLimits Larger(const MachineLimits& a, const MachineLimits& b);

// Runs on `threads` threads (at least 1) and reads `bytes` of memory of its own.
MachineLimits MeasureMachineLimits(std::size_t threads, std::size_t bytes = std::size_t{1} << 30);

}  // namespace safeguard::engine
