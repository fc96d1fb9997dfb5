#include "base/signature.h"

#include <sodium.h>

#include <array>
#include <span>

#include "base/check.h"

namespace safeguard {
namespace {

using PublicKey = std::array<unsigned char, crypto_sign_PUBLICKEYBYTES>;
using SecretKey = std::array<unsigned char, crypto_sign_SECRETKEYBYTES>;
using Signature = std::array<unsigned char, crypto_sign_BYTES>;

std::string Hex(std::span<const unsigned char> bytes) {
  std::string text(bytes.size() * 2 + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), bytes.data(), bytes.size());
  text.pop_back();
  return text;
}

bool FromHex(std::string_view text, std::span<unsigned char> bytes) {
  std::size_t length = 0;
  return text.size() == bytes.size() * 2 &&
         sodium_hex2bin(bytes.data(), bytes.size(), text.data(), text.size(), nullptr, &length,
                        nullptr) == 0 &&
         length == bytes.size();
}

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

SigningKey NewSigningKey() {
  CHECK(sodium_init() >= 0);
  PublicKey public_key{};
  SecretKey secret_key{};
  CHECK(crypto_sign_keypair(public_key.data(), secret_key.data()) == 0);
  SigningKey key{Hex(public_key), Hex(secret_key)};
  sodium_memzero(secret_key.data(), secret_key.size());
  return key;
}

std::optional<SigningKey> SigningKeyFrom(std::string_view secret_key) {
  SecretKey secret{};
  PublicKey public_key{};
  PublicKey derived{};
  SecretKey again{};
  if (!FromHex(secret_key, secret) ||
      crypto_sign_ed25519_sk_to_pk(public_key.data(), secret.data()) != 0) {
    return std::nullopt;
  }
  // The second half must be the public key of the first: a damaged file is no key.
  if (crypto_sign_seed_keypair(derived.data(), again.data(), secret.data()) != 0 ||
      derived != public_key) {
    return std::nullopt;
  }
  sodium_memzero(secret.data(), secret.size());
  sodium_memzero(again.data(), again.size());
  return SigningKey{Hex(public_key), std::string(secret_key)};
}

std::string Sign(const SigningKey& key, std::string_view message) {
  SecretKey secret{};
  CHECK(FromHex(key.secret_key, secret));
  Signature signature{};
  CHECK(crypto_sign_detached(signature.data(), nullptr, Bytes(message), message.size(),
                             secret.data()) == 0);
  sodium_memzero(secret.data(), secret.size());
  return Hex(signature);
}

bool IsSignedBy(std::string_view public_key, std::string_view message, std::string_view signature) {
  PublicKey key{};
  Signature bytes{};
  return FromHex(public_key, key) && FromHex(signature, bytes) &&
         crypto_sign_verify_detached(bytes.data(), Bytes(message), message.size(), key.data()) == 0;
}

std::string RandomHex(std::size_t bytes) {
  CHECK(sodium_init() >= 0);
  std::string random(bytes, '\0');
  randombytes_buf(random.data(), random.size());
  return Hex({Bytes(random), random.size()});
}

}  // namespace safeguard
