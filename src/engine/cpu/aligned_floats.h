// Memory for kernels: floats on a cache-line boundary, zero at first.
#pragma once

#include <algorithm>
#include <cstddef>

#include "engine/cpu/large_memory.h"

namespace safeguard::engine::cpu {

class AlignedFloats {
 public:
  AlignedFloats() = default;
  explicit AlignedFloats(std::size_t size)
      : memory_(NewLargeMemory(size * sizeof(float))), size_(size) {
    std::fill_n(data(), size, 0.0F);
  }

  [[nodiscard]] float* data() { return reinterpret_cast<float*>(memory_.get()); }
  [[nodiscard]] const float* data() const { return reinterpret_cast<const float*>(memory_.get()); }
  [[nodiscard]] std::size_t size() const { return size_; }

  // At least `size` floats. What they held is lost if they were fewer.
  void Reserve(std::size_t size) {
    if (size > size_) {
      *this = AlignedFloats(size);
    }
  }

 private:
  LargeMemory memory_;
  std::size_t size_ = 0;
};

}  // namespace safeguard::engine::cpu
