// Where tests find the model files that are not in the repository.
#pragma once

#include <cstdlib>
#include <optional>
#include <string>

#include "base/file.h"

namespace safeguard::engine {

// The file under $SAFEGUARD_MODELS, else under build/models of the source tree.
inline std::optional<std::string> ReadModelFile(const std::string& name) {
  const char* models = std::getenv("SAFEGUARD_MODELS");
  const std::string folder = models != nullptr ? models : SAFEGUARD_SOURCE_DIR "/build/models";
  Result<std::string> bytes = ReadFile(folder + "/" + name, std::size_t{64} << 20);
  return bytes ? std::optional(std::move(*bytes)) : std::nullopt;
}

}  // namespace safeguard::engine

#define SAFEGUARD_NEED_MODEL(variable, name)                                           \
  const auto variable = ::safeguard::engine::ReadModelFile(name);                      \
  if (!variable) {                                                                     \
    GTEST_SKIP() << "NOT TESTED: no " name " under $SAFEGUARD_MODELS or build/models"; \
  }
