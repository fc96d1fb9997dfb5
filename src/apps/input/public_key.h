// A public key as users name it.
#pragma once

#include <string>

#include "base/result.h"

namespace safeguard::apps {

// Its 64 hexadecimal digits: `text` itself, else what stands in the file of that name (DATA/audit/
// public_key is one). kInvalidInput: it is no key.
Result<std::string> ReadPublicKey(const std::string& text);

}  // namespace safeguard::apps
