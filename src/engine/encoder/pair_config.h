// config.json of a model of pairs.
#pragma once

#include <string>

#include "base/result.h"
#include "engine/pair_encoder.h"

namespace safeguard::engine {

// Reads and bounds `path` for a base of `base.layers` layers and `base.positions_max` positions.
// Every key of PairConfig must be there.
Result<PairConfig> ReadPairConfig(const std::string& path, const EncoderConfig& base);

}  // namespace safeguard::engine
