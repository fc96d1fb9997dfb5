// Any bytes: the reader of calibrations fails clearly or gives one that maps scores to rising
// probabilities; the reader of earlier reports fails clearly or gives a point.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "eval/calibration_file.h"
#include "eval/report.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace safeguard;  // NOLINT(google-build-using-namespace): one function
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Result<moderation::ScoreCalibration> calibration = eval::ReadCalibration(bytes, "fuzz");
  if (calibration) {
    double last = 0;
    for (const double score : {0.0, 1e-9, 0.1, 0.5, 0.9, 1.0}) {
      const double probability = calibration->map.Apply(score);
      CHECK(probability >= last && probability <= 1);
      last = probability;
    }
    const moderation::Thresholds raw = moderation::RawThresholds(*calibration, {});
    CHECK(raw.safe >= 0 && raw.safe <= raw.violation);
    CHECK(eval::ReadCalibration(eval::WriteCalibration(*calibration), "again").has_value());
  } else {
    CHECK(!calibration.error().message.empty());
  }
  const Result<eval::QualityPoint> point = eval::ReadQualityPoint(bytes, "fuzz");
  CHECK(point || !point.error().message.empty());
  return 0;
}
