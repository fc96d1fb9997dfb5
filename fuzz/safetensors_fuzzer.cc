#include <cstddef>
#include <cstdint>
#include <span>

#include "base/check.h"
#include "engine/model/safetensors.h"

using safeguard::engine::Dtype;
using safeguard::engine::Safetensors;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = Safetensors::Read("fuzz.safetensors", std::as_bytes(std::span(data, size)));
  if (!read) {
    CHECK(!read.error().message.empty());
    return 0;
  }
  std::uint64_t end = 0;
  for (const auto& entry : (*read)->entries()) {
    CHECK(entry.begin == end && entry.end >= entry.begin && entry.end <= size);
    end = entry.end;
    const auto found = (*read)->Find(entry.name, {entry.dtype}, {});
    CHECK(!found || found->bytes.size() == entry.end - entry.begin);
  }
  CHECK(!(*read)->Find("absent", {Dtype::kF16}, {1}) || !(*read)->entries().empty());
  return 0;
}
