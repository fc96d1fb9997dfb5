// Ed25519 signatures and secret randomness, in lower-case hexadecimal. Thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace safeguard {

struct SigningKey {
  std::string public_key;  // 64 digits
  std::string secret_key;  // 128 digits: keep it from everybody
};

SigningKey NewSigningKey();

// Of a secret key, as it was made; nothing when the text is none.
std::optional<SigningKey> SigningKeyFrom(std::string_view secret_key);

// 128 digits. REQUIRES: a key of NewSigningKey or SigningKeyFrom.
std::string Sign(const SigningKey& key, std::string_view message);

// False for a wrong signature and for texts that are no key or signature.
bool IsSignedBy(std::string_view public_key, std::string_view message, std::string_view signature);

// `bytes` random bytes that nobody can guess: twice as many digits.
std::string RandomHex(std::size_t bytes);

}  // namespace safeguard
