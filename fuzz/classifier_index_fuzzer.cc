// The index of installed classifiers: what is read is written again as something that is read
// alike.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "storage/classifiers/index.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using safeguard::storage::ReadIndex;
  using safeguard::storage::WriteIndex;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto index = ReadIndex(bytes, "fuzzed")) {
    const std::string written = WriteIndex(*index);
    const auto again = ReadIndex(written, "again");
    CHECK(again.has_value() && WriteIndex(*again) == written);
  }
  return 0;
}
