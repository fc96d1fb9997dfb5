// What names a checkpoint without reading all of it.
#pragma once

#include <span>
#include <string>

#include "base/result.h"

namespace safeguard::engine {

// BLAKE2b over each file's last name part, size, first and last mebibyte and 256 samples of 4 KiB
// between; 64 hexadecimal digits.
Result<std::string> Fingerprint(std::span<const std::string> files);

// When each file was last written, in seconds: changes when a file is written over with bytes that
// the samples of Fingerprint miss.
Result<std::string> FileTimes(std::span<const std::string> files);

}  // namespace safeguard::engine
