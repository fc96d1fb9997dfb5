// Reads little-endian values one after another and never past the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace safeguard::engine {

class GgufCursor {
 public:
  explicit GgufCursor(std::span<const std::byte> bytes) : bytes_(bytes) {}

  [[nodiscard]] std::size_t position() const { return position_; }
  [[nodiscard]] std::size_t left() const { return bytes_.size() - position_; }

  // Each returns false, and reads nothing, where the bytes end first.
  bool ReadU32(std::uint32_t& value) {
    std::uint64_t wide = 0;
    if (!ReadLittleEndian(4, wide)) {
      return false;
    }
    value = static_cast<std::uint32_t>(wide);
    return true;
  }
  bool ReadU64(std::uint64_t& value) { return ReadLittleEndian(8, value); }
  bool Skip(std::uint64_t count) {
    if (count > left()) {
      return false;
    }
    position_ += static_cast<std::size_t>(count);
    return true;
  }
  // A u64 length, then as many bytes.
  bool ReadString(std::string_view& text) {
    std::uint64_t length = 0;
    const std::size_t begin = position_;
    if (!ReadU64(length) || length > left()) {
      position_ = begin;
      return false;
    }
    text = {reinterpret_cast<const char*>(bytes_.data()) + position_,
            static_cast<std::size_t>(length)};
    position_ += text.size();
    return true;
  }

 private:
  bool ReadLittleEndian(std::size_t count, std::uint64_t& value) {
    if (count > left()) {
      return false;
    }
    value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      value |= std::to_integer<std::uint64_t>(bytes_[position_ + i]) << (8 * i);
    }
    position_ += count;
    return true;
  }

  std::span<const std::byte> bytes_;
  std::size_t position_ = 0;
};

}  // namespace safeguard::engine
