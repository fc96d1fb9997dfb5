// A block of memory on a cache-line boundary, for kernels.
#pragma once

#include <cstddef>

namespace safeguard::engine {

class AlignedBytes {
 public:
  AlignedBytes() = default;
  // `size` bytes, not initialised, on a 64-byte boundary; from 2 MiB up on huge pages where the
  // system has them.
  explicit AlignedBytes(std::size_t size);
  ~AlignedBytes();
  AlignedBytes(AlignedBytes&& other) noexcept;
  AlignedBytes& operator=(AlignedBytes&& other) noexcept;

  [[nodiscard]] std::byte* data() { return data_; }
  [[nodiscard]] const std::byte* data() const { return data_; }
  [[nodiscard]] float* floats() { return reinterpret_cast<float*>(data_); }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace safeguard::engine
