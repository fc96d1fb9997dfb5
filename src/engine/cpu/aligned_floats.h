// Memory for kernels: floats on a cache-line boundary, zero at first.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>

namespace safeguard::engine::cpu {

class AlignedFloats {
 public:
  AlignedFloats() = default;
  explicit AlignedFloats(std::size_t size) : data_(Allocate(size)), size_(size) {
    std::fill_n(data_.get(), size, 0.0F);
  }

  [[nodiscard]] float* data() { return data_.get(); }
  [[nodiscard]] const float* data() const { return data_.get(); }
  [[nodiscard]] std::size_t size() const { return size_; }

  // At least `size` floats. What they held is lost if they were fewer.
  void Reserve(std::size_t size) {
    if (size > size_) {
      *this = AlignedFloats(size);
    }
  }

 private:
  static constexpr std::align_val_t kAlignment{64};
  struct Free {
    void operator()(float* data) const { ::operator delete[](data, kAlignment); }
  };

  static float* Allocate(std::size_t size) {
    return static_cast<float*>(::operator new[](size * sizeof(float), kAlignment));
  }

  std::unique_ptr<float[], Free> data_;
  std::size_t size_ = 0;
};

}  // namespace safeguard::engine::cpu
