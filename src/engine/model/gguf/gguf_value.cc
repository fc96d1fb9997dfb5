// What a value of the metadata says.
#include <bit>
#include <cmath>

#include "engine/model/gguf/gguf_cursor.h"
#include "engine/model/gguf/gguf_file.h"

namespace safeguard::engine {
namespace {

std::optional<std::int64_t> WholeFrom(GgufType type, std::span<const std::byte> bytes) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < bytes.size() && i < 8; ++i) {
    bits |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
  }
  switch (type) {
    case GgufType::kU8:
    case GgufType::kU16:
    case GgufType::kU32:
    case GgufType::kBool:
      return static_cast<std::int64_t>(bits);
    case GgufType::kI8:
      return static_cast<std::int8_t>(bits);
    case GgufType::kI16:
      return static_cast<std::int16_t>(bits);
    case GgufType::kI32:
      return static_cast<std::int32_t>(bits);
    case GgufType::kI64:
      return static_cast<std::int64_t>(bits);
    case GgufType::kU64:
      return bits >> 63 == 0 ? std::optional(static_cast<std::int64_t>(bits)) : std::nullopt;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<std::int64_t> WholeOf(const GgufValue& value) {
  return value.type == GgufType::kBool ? std::nullopt : WholeFrom(value.type, value.bytes);
}

std::optional<double> NumberOf(const GgufValue& value) {
  GgufCursor cursor(value.bytes);
  std::uint32_t narrow = 0;
  std::uint64_t wide = 0;
  if (value.type == GgufType::kF32 && cursor.ReadU32(narrow)) {
    return std::bit_cast<float>(narrow);
  }
  if (value.type == GgufType::kF64 && cursor.ReadU64(wide)) {
    return std::bit_cast<double>(wide);
  }
  const std::optional<std::int64_t> whole = WholeOf(value);
  return whole ? std::optional(static_cast<double>(*whole)) : std::nullopt;
}

std::optional<std::string_view> TextOf(const GgufValue& value) {
  if (value.type != GgufType::kString) {
    return std::nullopt;
  }
  return std::string_view(reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size());
}

std::optional<bool> FlagOf(const GgufValue& value) {
  if (value.type != GgufType::kBool) {
    return std::nullopt;
  }
  return value.bytes[0] != std::byte{0};
}

std::optional<std::vector<std::string_view>> TextsOf(const GgufValue& value) {
  if (value.type != GgufType::kArray || value.element != GgufType::kString) {
    return std::nullopt;
  }
  std::vector<std::string_view> texts(static_cast<std::size_t>(value.count));
  GgufCursor cursor(value.bytes);
  for (std::string_view& text : texts) {
    if (!cursor.ReadString(text)) {
      return std::nullopt;
    }
  }
  return texts;
}

std::optional<std::vector<std::int64_t>> WholesOf(const GgufValue& value) {
  const std::size_t each = BytesPerValue(value.element);
  if (value.type != GgufType::kArray || each == 0 || value.count > kGgufStringsMax) {
    return std::nullopt;
  }
  std::vector<std::int64_t> wholes;
  for (std::size_t i = 0; i < value.count; ++i) {
    const std::optional<std::int64_t> whole =
        WholeFrom(value.element, value.bytes.subspan(i * each, each));
    if (!whole) {
      return std::nullopt;
    }
    wholes.push_back(*whole);
  }
  return wholes;
}

}  // namespace safeguard::engine
