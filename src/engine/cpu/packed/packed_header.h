// The head of a file of packed weights. In order, integers little-endian:
//   "SGPACKED"  version (4 bytes)  bytes of the head (4)  where the data begins (8)
//   bytes of the data (8)  bytes of `times` (4)  number of matrices (4)  number of chunks (4)
//   key (64)  times   one byte a matrix: 1 packed, 0 left out   sums of the chunks (8 each)
//   digest (64): BLAKE2b of all bytes so far
// The data begins at the next multiple of kPackedDataAlign.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace safeguard::engine::cpu {

// Huge pages: a file that begins at one in memory has its data on whole ones.
inline constexpr std::size_t kPackedDataAlign = std::size_t{2} << 20;
// The data is summed in chunks of this many bytes; the last one may be shorter.
inline constexpr std::size_t kPackedChunk = std::size_t{8} << 20;
inline constexpr std::size_t kPackedHeaderBytesMax = std::size_t{64} << 20;
inline constexpr std::size_t kPackedHeaderFixedBytes = 8 + 4 + 4 + 8 + 8 + 4 + 4 + 4;

struct PackedHeader {
  std::string key;    // 64 hexadecimal digits over all that the data depends on
  std::string times;  // when the model's files were last written
  std::uint64_t data_bytes = 0;
  std::vector<std::uint8_t> packed;   // by matrix
  std::vector<std::uint64_t> chunks;  // their sums

  friend bool operator==(const PackedHeader&, const PackedHeader&) = default;
};

constexpr std::size_t PackedChunks(std::uint64_t data_bytes) {
  return (data_bytes + kPackedChunk - 1) / kPackedChunk;
}

// The bytes of the head alone.
std::string WritePackedHeader(const PackedHeader& header);
std::uint64_t PackedDataBegin(std::size_t header_bytes);

// Bytes of the whole head, from its first kPackedHeaderFixedBytes. kCorruptFile: no such file, or
// of another version.
Result<std::size_t> PackedHeaderBytes(std::span<const std::byte> start);
// `bytes` is the whole head. kCorruptFile: damaged.
Result<PackedHeader> ReadPackedHeader(std::span<const std::byte> bytes);

// A sum that one changed byte always changes. Fast as memory is; no protection against intent.
std::uint64_t PackedSum(std::span<const std::byte> bytes);

}  // namespace safeguard::engine::cpu
