// GGUF files in memory, for tests: each call adds what it says, also what no writer would.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/gguf/gguf_types.h"

namespace safeguard::engine {

class GgufText {
 public:
  static std::string U32(std::uint32_t value) { return LittleEndian(value, 4); }
  static std::string U64(std::uint64_t value) { return LittleEndian(value, 8); }
  static std::string Text(std::string_view value) { return U64(value.size()) + std::string(value); }

  void Set(std::string_view key, GgufType type, const std::string& value) {
    metadata_ += Text(key) + U32(static_cast<std::uint32_t>(type)) + value;
    ++keys_;
  }
  void Set(std::string_view key, std::uint32_t value) { Set(key, GgufType::kU32, U32(value)); }
  void Set(std::string_view key, std::string_view value) {
    Set(key, GgufType::kString, Text(value));
  }
  void SetNumber(std::string_view key, float value) {
    Set(key, GgufType::kF32, U32(std::bit_cast<std::uint32_t>(value)));
  }
  void SetTexts(std::string_view key, const std::vector<std::string>& values) {
    std::string bytes = U32(8) + U64(values.size());
    for (const std::string& value : values) {
      bytes += Text(value);
    }
    Set(key, GgufType::kArray, bytes);
  }
  // `dimensions` innermost first, as in the file.
  void Tensor(std::string_view name, const std::vector<std::uint64_t>& dimensions,
              std::uint32_t type, std::uint64_t offset) {
    tensors_ += Text(name) + U32(static_cast<std::uint32_t>(dimensions.size()));
    for (const std::uint64_t dimension : dimensions) {
      tensors_ += U64(dimension);
    }
    tensors_ += U32(type) + U64(offset);
    ++tensor_count_;
  }

  [[nodiscard]] std::string File(std::size_t data_bytes, std::size_t alignment = 32,
                                 std::uint32_t version = 3) const {
    std::string file =
        "GGUF" + U32(version) + U64(tensor_count_) + U64(keys_) + metadata_ + tensors_;
    file.resize((file.size() + alignment - 1) / alignment * alignment, '\0');
    for (std::size_t i = 0; i < data_bytes; ++i) {
      file += static_cast<char>(i);
    }
    return file;
  }

 private:
  static std::string LittleEndian(std::uint64_t value, int count) {
    std::string bytes;
    for (int i = 0; i < count; ++i) {
      bytes += static_cast<char>(value >> (8 * i) & 0xFF);
    }
    return bytes;
  }

  std::string metadata_;
  std::string tensors_;
  std::uint64_t keys_ = 0;
  std::uint64_t tensor_count_ = 0;
};

inline std::span<const std::byte> BytesOf(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace safeguard::engine
