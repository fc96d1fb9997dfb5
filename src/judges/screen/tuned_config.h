// The config.json of a trained screen's folder: which kind of screen it is, and, for a tuned
// encoder of the embedding screen, what it was tuned with.
#pragma once

#include <string>

#include "base/result.h"
#include "judges/screen/embedding_policy.h"

namespace safeguard::judges {

struct TunedConfig {
  bool tuned_encoder = false;  // "kind": "embedding"; without it a model of pairs
  // Of a tuned encoder only:
  std::string base;         // name of the base model's folder
  std::string base_sha256;  // of the base's weights, 64 hexadecimal digits
  EmbeddingScoring scoring;
};

// Errors name the file and the key.
Result<TunedConfig> ReadTunedConfig(const std::string& path);

}  // namespace safeguard::judges
