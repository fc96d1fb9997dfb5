#include "engine/cpu/packed/packed_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <utility>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22  // Linux 5.14
#endif

namespace safeguard::engine::cpu {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

std::unexpected<Error> NoMemory(std::size_t bytes) {
  return Fail(ErrorCode::kUnavailable,
              "no memory for " + std::to_string(bytes >> 20) + " MiB of packed weights",
              "close other programs, or run a smaller model");
}

void WantHugePages(void* memory, std::size_t bytes) {
  static_cast<void>(::madvise(memory, bytes, MADV_HUGEPAGE));  // slower without, not wrong
}

}  // namespace

Result<PackedMemory> PackedMemory::New(std::size_t bytes) {
  const std::size_t whole = (bytes / kHugePage + 1) * kHugePage;
  void* memory = ::mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return NoMemory(bytes);
  }
  WantHugePages(memory, whole);
  return PackedMemory(static_cast<std::byte*>(memory), whole);
}

Result<PackedMemory> PackedMemory::Map(int fd, std::size_t bytes) {
  // Room for a mapping that begins at a huge page, whatever the system would choose.
  const std::size_t room = bytes + kHugePage;
  void* reserved = ::mmap(nullptr, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (reserved == MAP_FAILED) {
    return NoMemory(bytes);
  }
  const auto begin = reinterpret_cast<std::uintptr_t>(reserved);
  const std::size_t skipped = (kHugePage - begin % kHugePage) % kHugePage;
  std::byte* at = static_cast<std::byte*>(reserved) + skipped;
  void* mapped = ::mmap(at, bytes, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);
  if (mapped == MAP_FAILED) {
    const int error = errno;
    ::munmap(reserved, room);
    return Fail(ErrorCode::kUnavailable,
                "cannot map packed weights: " + std::string(std::strerror(error)));
  }
  if (skipped > 0) {
    ::munmap(reserved, skipped);
  }
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t used = skipped + (bytes + page - 1) / page * page;
  if (room > used) {
    ::munmap(static_cast<std::byte*>(reserved) + used, room - used);
  }
  WantHugePages(mapped, bytes);
  return PackedMemory(at, bytes);
}

PackedMemory::PackedMemory(PackedMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

PackedMemory& PackedMemory::operator=(PackedMemory&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

PackedMemory::~PackedMemory() {
  if (data_ != nullptr) {
    ::munmap(data_, bytes_);
  }
}

bool PopulateMapping(const std::byte* begin, std::size_t bytes) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t before = reinterpret_cast<std::uintptr_t>(begin) % page;
  return ::madvise(const_cast<std::byte*>(begin) - before, bytes + before, MADV_POPULATE_READ) ==
             0 ||
         errno == EINVAL;  // an older system
}

double HugeShare(const PackedMemory& memory) {
  char start[32];
  std::snprintf(start, sizeof start, "%" PRIxPTR "-",
                reinterpret_cast<std::uintptr_t>(memory.data()));
  std::ifstream maps("/proc/self/smaps");
  bool inside = false;
  unsigned long long resident = 0;
  unsigned long long huge = 0;
  for (std::string line; std::getline(maps, line);) {
    unsigned long long kib = 0;
    if (!inside) {
      inside = line.starts_with(start);
    } else if (line.starts_with("VmFlags:")) {
      break;
    } else if (std::sscanf(line.c_str(), "Rss: %llu", &kib) == 1) {
      resident = kib;
    } else if (std::sscanf(line.c_str(), "FilePmdMapped: %llu", &kib) == 1 ||
               std::sscanf(line.c_str(), "ShmemPmdMapped: %llu", &kib) == 1) {
      huge += kib;
    }
  }
  return resident == 0 ? 1 : static_cast<double>(huge) / static_cast<double>(resident);
}

Result<PackedMemory> CopyOf(const PackedMemory& memory, ThreadPool& pool) {
  Result<PackedMemory> copy = PackedMemory::New(memory.bytes());
  if (copy) {
    pool.ParallelFor((memory.bytes() + kHugePage - 1) / kHugePage, [&](std::size_t i, std::size_t) {
      const std::size_t begin = i * kHugePage;
      std::memcpy(copy->data() + begin, memory.data() + begin,
                  std::min(kHugePage, memory.bytes() - begin));
    });
  }
  return copy;
}

}  // namespace safeguard::engine::cpu
