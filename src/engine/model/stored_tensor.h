// A tensor as a checkpoint's file has it, whatever the format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace safeguard::engine {

enum class StoredType : std::uint8_t {
  kF32,
  kF16,
  kBF16,
  kQ8_0,
  kMxfp4,          // 17-byte blocks, nibbles in NibbleOrder::kHalves
  kMxfp4Adjacent,  // 17-byte blocks, nibbles in NibbleOrder::kAdjacent
  kU8,
  kOther,  // known to the format, not to us
};

struct StoredTensor {
  std::string name;
  StoredType type = StoredType::kOther;
  std::string type_name;             // as the format writes it
  std::vector<std::uint64_t> shape;  // outermost dimension first
  std::span<const std::byte> bytes;  // exactly what type and shape take; for kOther: any number
  std::size_t file = 0;              // index among the checkpoint's files
};

}  // namespace safeguard::engine
