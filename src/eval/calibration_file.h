// A calibration as JSON: what stands beside a policy file or in the policy store. Its fields are
// listed in docs/calibration.md.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "moderation/calibration.h"

namespace safeguard::eval {

inline constexpr std::size_t kCalibrationBytesMax = std::size_t{4} << 20;

// Indented by two spaces, ended by a newline. The same calibration gives the same bytes.
std::string WriteCalibration(const moderation::ScoreCalibration& calibration);

// Reads what WriteCalibration wrote and sets `id`. Never throws, whatever the bytes. Fails, naming
// `name` and the field, on: more than kCalibrationBytesMax (kLimit), no JSON, another format or
// version, a missing field, a number out of its range, a curve that falls.
Result<moderation::ScoreCalibration> ReadCalibration(std::string_view bytes,
                                                     const std::string& name);

}  // namespace safeguard::eval
