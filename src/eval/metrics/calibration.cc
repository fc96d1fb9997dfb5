#include <algorithm>
#include <cmath>

#include "eval/metrics.h"

namespace safeguard::eval {

std::optional<Calibration> MeasureCalibration(std::span<const Scored> cases) {
  if (cases.empty()) {
    return std::nullopt;
  }
  Calibration result;
  for (const Scored& c : cases) {
    if (!(c.score >= 0 && c.score <= 1)) {
      return std::nullopt;
    }
    const double outcome = c.positive ? 1 : 0;
    result.brier += (c.score - outcome) * (c.score - outcome);
    const auto index =
        std::min(kCalibrationBins - 1,
                 static_cast<std::size_t>(c.score * static_cast<double>(kCalibrationBins)));
    CalibrationBin& bin = result.bins[index];
    ++bin.cases;
    bin.score_mean += c.score;
    bin.positive_share += outcome;
  }
  const auto n = static_cast<double>(cases.size());
  result.brier /= n;
  for (CalibrationBin& bin : result.bins) {
    if (bin.cases > 0) {
      const auto count = static_cast<double>(bin.cases);
      bin.score_mean /= count;
      bin.positive_share /= count;
      result.expected_calibration_error +=
          count / n * std::abs(bin.score_mean - bin.positive_share);
    }
  }
  return result;
}

}  // namespace safeguard::eval
