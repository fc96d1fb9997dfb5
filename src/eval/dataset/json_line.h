// Parsing one JSON text with a limit on its nesting; the adapter around the JSON library.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "base/result.h"

namespace safeguard::eval {

// REQUIRES: valid UTF-8. Errors say at which byte (1-based) the text stops being JSON.
Result<nlohmann::json> ParseJson(std::string_view text);

}  // namespace safeguard::eval
