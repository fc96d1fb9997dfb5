// Content hashes, in lower-case hexadecimal. Policies are identified by BLAKE2b, model files by
// SHA-256 (what their publishers print). Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace safeguard {

// BLAKE2b with a 32-byte digest: 64 hexadecimal digits.
std::string Blake2bHex(std::string_view bytes);

// SHA-256: 64 hexadecimal digits.
std::string Sha256Hex(std::span<const std::byte> bytes);

}  // namespace safeguard
