// The JSON header of a safetensors file, read in one pass without a document tree.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/model/safetensors.h"

namespace safeguard::engine {

// The entries as written, in the order of the header: each has dtype, shape and offsets; nothing is
// yet compared with the file. An error's message has no path: the caller adds it.
Result<std::vector<TensorEntry>> ReadSafetensorsHeader(std::string_view json);

// `name` for a message: in quotes, printable, at most some 100 characters of it.
std::string QuoteName(std::string_view name);

}  // namespace safeguard::engine
