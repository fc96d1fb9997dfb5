// A prefix kept on disk: the exported sequence of a list of tokens under one model, in one file.
//
// The name is a hash of all that the bytes depend on, and the file says again what it holds. In
// order, integers little-endian:
//   "SGPREFIX"  version (4 bytes)  number of tokens (4)  bytes of the sequence (8)
//   key (64): what the name is made of   tokens (4 each)
//   digest (64): BLAKE2b of all bytes so far   the sequence, which carries its own digest
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace safeguard::engine {

inline constexpr std::size_t kPrefixFileTokensMax = std::size_t{1} << 20;

struct PrefixKey {
  std::string_view model;  // weights, kernels and precision: whatever the bits depend on
  std::string_view salt;
  std::span<const std::uint32_t> tokens;

  // 64 hexadecimal digits.
  [[nodiscard]] std::string Hash() const;
};

// The file's bytes.
std::string WritePrefixFile(const PrefixKey& key, std::span<const std::byte> sequence);

// The exported sequence inside `file`. kInvalidInput: damaged, cut, or of another key.
Result<std::span<const std::byte>> ReadPrefixFile(const PrefixKey& key,
                                                  std::span<const std::byte> file);

}  // namespace safeguard::engine
