// The numbers that GGUF gives to metadata and tensor types
// (github.com/ggml-org/ggml, docs/gguf.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/model/stored_tensor.h"

namespace safeguard::engine {

enum class GgufType : std::uint32_t {
  kU8 = 0,
  kI8 = 1,
  kU16 = 2,
  kI16 = 3,
  kU32 = 4,
  kI32 = 5,
  kF32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kU64 = 10,
  kI64 = 11,
  kF64 = 12,
};

inline constexpr std::uint32_t kGgufTypes = 13;

// Bytes of one value; 0 for strings and arrays, whose length is written with them.
std::size_t BytesPerValue(GgufType type);

// A tensor type. `block` elements of a row take `block_bytes`; both 0 where we know the name only.
struct GgmlType {  // NOLINT(clang-analyzer-optin.performance.Padding): a table of a few dozen
  std::uint32_t id = 0;
  const char* name = "";
  StoredType stored = StoredType::kOther;
  std::size_t block = 0;
  std::size_t block_bytes = 0;
};

// An unknown number is named "type N".
GgmlType GgmlTypeOf(std::uint32_t id);
std::string NameOf(const GgmlType& type);

}  // namespace safeguard::engine
