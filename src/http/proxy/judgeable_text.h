// The text of any JSON, as the proxy sees it (proxied_json.cc).
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/result.h"

namespace safeguard::http {

// All text of `value`, prose first; kInvalidInput for what holds something that cannot be judged
// (pictures, sounds, files, long runs without spaces outside prose).
Result<std::string> JudgeableText(nlohmann::ordered_json value);

}  // namespace safeguard::http
