// Heads of files of packed weights: whatever is accepted is exactly what would be written.
#include <cstdint>
#include <span>
#include <string>

#include "base/check.h"
#include "engine/cpu/packed/packed_header.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace cpu = safeguard::engine::cpu;
  const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(data), size);
  if (const auto header = cpu::ReadPackedHeader(bytes)) {
    CHECK(cpu::WritePackedHeader(*header) ==
          std::string(reinterpret_cast<const char*>(data), size));
  }
  // What was written is always read back.
  cpu::PackedHeader header;
  header.key = std::string(64, 'k');
  header.times = std::string(reinterpret_cast<const char*>(data), size);
  header.data_bytes = size;
  header.packed.assign(data, data + size);
  header.chunks.assign(cpu::PackedChunks(size), cpu::PackedSum(bytes));
  const std::string written = cpu::WritePackedHeader(header);
  const auto read = cpu::ReadPackedHeader(std::as_bytes(std::span(written)));
  CHECK(read.has_value() && *read == header);
  return 0;
}
