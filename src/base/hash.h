// Content hashes, in lower-case hexadecimal. Policies are identified by BLAKE2b, model files by
// SHA-256 (what their publishers print). Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace safeguard {

// BLAKE2b with a 32-byte digest: 64 hexadecimal digits.
std::string Blake2bHex(std::string_view bytes);

// SHA-256: 64 hexadecimal digits.
std::string Sha256Hex(std::span<const std::byte> bytes);

// HMAC with SHA-256 (RFC 2104), as 32 bytes, with a key of any length.
std::string HmacSha256(std::string_view key, std::string_view bytes);

// Whether both are the same, in a time that tells nothing of where they differ; lengths are told.
bool EqualInSecret(std::string_view a, std::string_view b);

// SHA-256 of bytes that come in parts. Used by one thread.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void Update(std::span<const std::byte> bytes);
  // The digest of all parts. To be called once, last.
  std::string Hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace safeguard
