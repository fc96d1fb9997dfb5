// Shell completion, generated from the command tree, so that it cannot drift from it.
#pragma once

#include <string>

#include "base/result.h"

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11 names it
class App;
}

namespace safeguard::apps {

// `shell` is bash, zsh or fish.
Result<std::string> CompletionScript(const CLI::App& app, const std::string& shell);

}  // namespace safeguard::apps
