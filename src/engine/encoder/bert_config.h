// config.json of a BERT encoder (Hugging Face transformers' names).
#pragma once

#include <string>

#include "base/result.h"
#include "engine/encoder.h"

namespace safeguard::engine {

// Reads and bounds `path`. Refuses what the forward pass does not compute: another activation than
// the exact GELU, relative positions, widths that are no multiple of 32 or a head size that is not.
Result<EncoderConfig> ReadBertConfig(const std::string& path);

}  // namespace safeguard::engine
