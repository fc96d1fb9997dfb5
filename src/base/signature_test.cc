#include "base/signature.h"

#include <gtest/gtest.h>

#include <string>

namespace safeguard {
namespace {

TEST(Signature, HoldsForTheMessageAndTheKeyAlone) {
  const SigningKey key = NewSigningKey();
  const std::string signature = Sign(key, "a message");
  EXPECT_EQ(key.public_key.size(), 64U);
  EXPECT_EQ(signature.size(), 128U);
  EXPECT_TRUE(IsSignedBy(key.public_key, "a message", signature));
  EXPECT_FALSE(IsSignedBy(key.public_key, "another message", signature));
  EXPECT_FALSE(IsSignedBy(NewSigningKey().public_key, "a message", signature));
  EXPECT_FALSE(IsSignedBy("", "a message", signature));
  EXPECT_FALSE(IsSignedBy(key.public_key, "a message", ""));
  EXPECT_FALSE(IsSignedBy(key.public_key, "a message", std::string(128, 'x')));
  std::string changed = signature;
  changed[5] = changed[5] == '0' ? '1' : '0';
  EXPECT_FALSE(IsSignedBy(key.public_key, "a message", changed));
}

// RFC 8032, 7.1, test 1: the empty message.
TEST(Signature, IsTheStandards) {
  const auto key = SigningKeyFrom(
      "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(key->public_key, "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  EXPECT_EQ(
      Sign(*key, ""),
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e3970"
      "1cf9b46bd25bf5f0595bbe24655141438e7a100b");
}

TEST(Signature, ADamagedSecretKeyIsNone) {
  const SigningKey key = NewSigningKey();
  EXPECT_EQ(SigningKeyFrom(key.secret_key)->public_key, key.public_key);
  EXPECT_FALSE(SigningKeyFrom(key.secret_key.substr(2)));
  std::string damaged = key.secret_key;
  damaged[0] = damaged[0] == '0' ? '1' : '0';
  EXPECT_FALSE(SigningKeyFrom(damaged));
}

TEST(RandomHex, DiffersEachTime) {
  EXPECT_EQ(RandomHex(16).size(), 32U);
  EXPECT_NE(RandomHex(16), RandomHex(16));
}

}  // namespace
}  // namespace safeguard
