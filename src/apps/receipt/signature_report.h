// What is to be said of a receipt's signature.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "moderation/receipt.h"

namespace safeguard::apps {

struct SignatureReport {
  bool good = true;      // else nothing in the receipt is to be believed
  bool trusted = false;  // signed by a key that was named as trusted
  moderation::SignatureCheck check;
  std::string text;  // a sentence or two, with LF

  // state: "valid", "not signed", "does not match", "another key"; key, trusted.
  [[nodiscard]] nlohmann::ordered_json Json() const;
};

// Good is what a trusted key has signed; where none is named, also what any key has, and what is
// not signed at all. `keys` as of ReadPublicKey(). kInvalidInput: this is no receipt, or no key.
Result<SignatureReport> CheckSignature(std::string_view receipt, std::span<const std::string> keys);

}  // namespace safeguard::apps
