// Reads the probability of each of a few labels at one place of a sequence.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/generator.h"
#include "engine/model/forward.h"

namespace safeguard::engine {

// `row`: the logits at the end of `sequence`; `labels[i]`: the tokens of label i from there, empty
// for one that cannot stand there. Labels of several tokens are read from forks, which are dropped
// again.
Result<LabelScores> ScoreLabels(Forward& forward, SequenceId sequence, std::span<const float> row,
                                std::span<const std::vector<std::uint32_t>> labels);

}  // namespace safeguard::engine
