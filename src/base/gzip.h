// Gzip files as streams, in constant memory.
#pragma once

#include <istream>
#include <memory>
#include <string>

#include "base/result.h"

namespace safeguard {

// The unpacked bytes of a gzip file (several members one after another are read as one). Damaged
// or cut short: the stream turns bad() where that is found. One reader for each thread.
Result<std::unique_ptr<std::istream>> OpenGzip(const std::string& path);

}  // namespace safeguard
