// Token ids as a hash, for receipts.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/hash.h"

namespace safeguard::judges {

// BLAKE2b of the ids, each as four bytes, the lowest first.
inline std::string TokenHash(std::span<const std::uint32_t> ids) {
  std::string bytes;
  bytes.reserve(4 * ids.size());
  for (const std::uint32_t id : ids) {
    for (unsigned shift = 0; shift < 32; shift += 8) {
      bytes += static_cast<char>(static_cast<unsigned char>(id >> shift));
    }
  }
  return Blake2bHex(bytes);
}

}  // namespace safeguard::judges
