// The secret key of an audit log as its file keeps it: 128 hexadecimal digits and LF.
#pragma once

#include <string>

#include "base/result.h"
#include "base/signature.h"

namespace safeguard::storage::audit {

// kNotFound: there is no such file. kCorruptFile: it is no key.
Result<SigningKey> ReadKeyFile(const std::string& path);

}  // namespace safeguard::storage::audit
