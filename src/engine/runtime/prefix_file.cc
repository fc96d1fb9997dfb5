#include "engine/runtime/prefix_file.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/hash.h"

namespace safeguard::engine {
namespace {

constexpr std::string_view kMagic = "SGPREFIX";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHexDigits = 64;
constexpr std::size_t kFixedBytes = 8 + 4 + 4 + 8 + kHexDigits;

template <typename Integer>
void Append(std::string& out, Integer value) {
  for (std::size_t i = 0; i < sizeof(Integer); ++i) {
    out += static_cast<char>(value >> (8 * i) & 0xFFU);
  }
}

template <typename Integer>
Integer Read(std::span<const std::byte> bytes, std::size_t at) {
  Integer value = 0;
  for (std::size_t i = 0; i < sizeof(Integer); ++i) {
    value |= static_cast<Integer>(std::to_integer<Integer>(bytes[at + i]) << (8 * i));
  }
  return value;
}

std::string_view Text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::unexpected<Error> Damaged(const char* what) {
  return Fail(ErrorCode::kInvalidInput, std::string("a kept prefix ") + what,
              "it is computed again and written anew");
}

}  // namespace

std::string PrefixKey::Hash() const {
  std::string all;
  Append(all, static_cast<std::uint64_t>(model.size()));
  all += model;
  Append(all, static_cast<std::uint64_t>(salt.size()));
  all += salt;
  for (const std::uint32_t token : tokens) {
    Append(all, token);
  }
  return Blake2bHex(all);
}

std::string WritePrefixFile(const PrefixKey& key, std::span<const std::byte> sequence) {
  std::string out(kMagic);
  out.reserve(kFixedBytes + key.tokens.size() * 4 + kHexDigits + sequence.size());
  Append(out, kVersion);
  Append(out, static_cast<std::uint32_t>(key.tokens.size()));
  Append(out, static_cast<std::uint64_t>(sequence.size()));
  out += key.Hash();
  for (const std::uint32_t token : key.tokens) {
    Append(out, token);
  }
  out += Blake2bHex(out);
  out += Text(sequence);
  return out;
}

Result<std::span<const std::byte>> ReadPrefixFile(const PrefixKey& key,
                                                  std::span<const std::byte> file) {
  if (file.size() < kFixedBytes || Text(file.first(kMagic.size())) != kMagic) {
    return Damaged("is not one");
  }
  if (Read<std::uint32_t>(file, 8) != kVersion) {
    return Damaged("was written by another version");
  }
  const std::size_t tokens = Read<std::uint32_t>(file, 12);
  const std::size_t head = kFixedBytes + tokens * 4;
  if (tokens > kPrefixFileTokensMax || file.size() < head + kHexDigits ||
      Read<std::uint64_t>(file, 16) != file.size() - head - kHexDigits) {
    return Damaged("is cut short");
  }
  if (Blake2bHex(Text(file.first(head))) != Text(file.subspan(head, kHexDigits))) {
    return Damaged("is damaged");
  }
  bool same = tokens == key.tokens.size() && Text(file.subspan(24, kHexDigits)) == key.Hash();
  for (std::size_t i = 0; i < tokens && same; ++i) {
    same = Read<std::uint32_t>(file, kFixedBytes + 4 * i) == key.tokens[i];
  }
  if (!same) {
    return Damaged("is of other tokens or another model");
  }
  return file.subspan(head + kHexDigits);
}

}  // namespace safeguard::engine
