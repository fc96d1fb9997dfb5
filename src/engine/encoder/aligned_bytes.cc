#include "engine/encoder/aligned_bytes.h"

#include <sys/mman.h>

#include <new>
#include <utility>

#include "base/check.h"

namespace safeguard::engine {
namespace {

constexpr std::size_t kLine = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

constexpr std::align_val_t AlignmentOf(std::size_t size) {
  return std::align_val_t{size >= kHugePage ? kHugePage : kLine};
}

}  // namespace

AlignedBytes::AlignedBytes(std::size_t size) : size_(size) {
  if (size == 0) {
    return;
  }
  data_ = static_cast<std::byte*>(::operator new(size, AlignmentOf(size), std::nothrow));
  CHECK(data_ != nullptr);
  if (size >= kHugePage) {
    // Advice only: without huge pages everything works, a little slower.
    ::madvise(data_, size / kHugePage * kHugePage, MADV_HUGEPAGE);
  }
}

AlignedBytes::~AlignedBytes() {
  if (data_ != nullptr) {
    ::operator delete(data_, AlignmentOf(size_));
  }
}

AlignedBytes::AlignedBytes(AlignedBytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

AlignedBytes& AlignedBytes::operator=(AlignedBytes&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace safeguard::engine
