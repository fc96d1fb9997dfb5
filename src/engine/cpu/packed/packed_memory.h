// Memory of packed weights, in huge pages where the system gives them: reading it takes half as
// long as reading the same bytes in small pages.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/thread_pool.h"

namespace safeguard::engine::cpu {

// Unmapped on destruction.
class PackedMemory {
 public:
  // Zeros, writable. No memory: kUnavailable.
  static Result<PackedMemory> New(std::size_t bytes);
  // The first `bytes` of the file behind `fd`, shared with whoever else maps them, read-only; the
  // descriptor may be closed. The mapping begins at a huge page.
  static Result<PackedMemory> Map(int fd, std::size_t bytes);

  PackedMemory() = default;
  PackedMemory(PackedMemory&& other) noexcept;
  PackedMemory& operator=(PackedMemory&& other) noexcept;
  ~PackedMemory();

  [[nodiscard]] std::byte* data() const { return data_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  PackedMemory(std::byte* data, std::size_t bytes) : data_(data), bytes_(bytes) {}

  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

// Reads [begin, begin + bytes) of a mapping in from disk. False: the disk gave an error, which a
// plain read of the mapping would die of. A system that cannot be asked answers true.
bool PopulateMapping(const std::byte* begin, std::size_t bytes);

// The share of the mapping's pages in memory that are huge ones, 0 to 1; 1 when it cannot be told.
double HugeShare(const PackedMemory& memory);

// The same bytes in memory of this process's own.
Result<PackedMemory> CopyOf(const PackedMemory& memory, ThreadPool& pool);

}  // namespace safeguard::engine::cpu
