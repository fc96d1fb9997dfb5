// Memory for large arrays: on a cache line, and on huge pages where it is large and the system
// gives them, so that reading it in order does not wait for page tables.
#pragma once

#include <cstddef>
#include <memory>

namespace safeguard::engine::cpu {

struct FreeLargeMemory {
  void operator()(std::byte* memory) const;
};

using LargeMemory = std::unique_ptr<std::byte[], FreeLargeMemory>;

// Uninitialised. Ends the process when there is none left, as `new` does.
LargeMemory NewLargeMemory(std::size_t bytes);

}  // namespace safeguard::engine::cpu
