// Signing webhooks in the manner of Standard Webhooks (standardwebhooks.com, specification 1.0.0):
// three header fields, of which the signature covers id, time and body.
//
//   webhook-id: msg_j0123.final
//   webhook-timestamp: 1674087231                     seconds since 1970, of this attempt
//   webhook-signature: v1,K5oZfzN95Z...= v1,WbyYq...=  one for each secret
//
// A signature is Base64(HMAC-SHA256(secret, id + "." + timestamp + "." + body)). To change a secret
// put the new one before the old; receivers accept either; later take the old one away.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace safeguard::http {

inline constexpr std::size_t kSecretBytesMin = 24;
inline constexpr std::size_t kSecretBytesMax = 64;
inline constexpr std::size_t kSecretsMax = 10;

// The bytes of the secrets in a file: one a line, as "whsec_" and Base64 of 24 to 64 bytes; empty
// lines and those that begin with '#' do not count. The newest stands first. Errors name a line and
// never what is in it.
Result<std::vector<std::string>> ReadSecrets(std::string_view text);

// What webhook-signature says. REQUIRES: at least one secret.
std::string SignWebhook(const std::vector<std::string>& secrets, std::string_view id,
                        std::int64_t timestamp_s, std::string_view body);

// For receivers: whether one of the signatures is of one of the secrets, and the time is within
// `tolerance_s` of `now_s`. The error says which of both it was.
Status VerifyWebhook(const std::vector<std::string>& secrets, std::string_view id,
                     std::string_view timestamp, std::string_view signatures, std::string_view body,
                     std::int64_t now_s, std::int64_t tolerance_s = 300);

}  // namespace safeguard::http
