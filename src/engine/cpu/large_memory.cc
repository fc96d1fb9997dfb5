#include "engine/cpu/large_memory.h"

#include <cstdlib>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace safeguard::engine::cpu {
namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

}  // namespace

void FreeLargeMemory::operator()(std::byte* memory) const {
  std::free(memory);  // NOLINT(cppcoreguidelines-no-malloc): from aligned_alloc
}

LargeMemory NewLargeMemory(std::size_t bytes) {
  const std::size_t unit = bytes >= kHugePage ? kHugePage : kCacheLine;
  const std::size_t size = (bytes + unit - 1) / unit * unit;
  auto* memory = static_cast<std::byte*>(std::aligned_alloc(unit, size == 0 ? unit : size));
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
#if defined(__linux__)
  if (unit == kHugePage) {
    madvise(memory, size, MADV_HUGEPAGE);  // advice: small pages do, too
  }
#endif
  return LargeMemory(memory);
}

}  // namespace safeguard::engine::cpu
