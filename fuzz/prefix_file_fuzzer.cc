// Files of kept prefixes: whatever is accepted is exactly what would be written.
#include <cstdint>
#include <string>
#include <vector>

#include "base/check.h"
#include "engine/runtime/prefix_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using safeguard::engine::PrefixKey;
  const std::vector<std::uint32_t> tokens = {200'006, 17'360, 200'008, 7};
  const PrefixKey key{"model", "salt", tokens};
  const std::span<const std::byte> file(reinterpret_cast<const std::byte*>(data), size);
  if (const auto sequence = safeguard::engine::ReadPrefixFile(key, file)) {
    const std::string again = safeguard::engine::WritePrefixFile(key, *sequence);
    CHECK(again == std::string(reinterpret_cast<const char*>(data), size));
  }
  // What was written is always read back.
  const std::string written = safeguard::engine::WritePrefixFile(key, file);
  const auto read = safeguard::engine::ReadPrefixFile(key, std::as_bytes(std::span(written)));
  CHECK(read.has_value() && read->size() == size);
  return 0;
}
