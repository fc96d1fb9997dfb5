// Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): a random
// number that is a function of a key and a counter, with no state between draws.
#pragma once

#include <array>
#include <cstdint>

namespace safeguard::engine {

std::array<std::uint32_t, 4> Philox(const std::array<std::uint32_t, 4>& counter,
                                    const std::array<std::uint32_t, 2>& key);

// In [0, 1), 53 bits.
double UniformAt(std::uint64_t seed, std::uint64_t position);

}  // namespace safeguard::engine
