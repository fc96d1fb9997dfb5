#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "eval/fit_calibration.h"
#include "eval/intervals.h"

namespace safeguard::eval {
namespace {

std::string Percent(double share) {
  std::string text = std::to_string(share * 100);
  text.resize(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) {
    text.pop_back();
  }
  return text + " %";
}

}  // namespace

std::size_t PositivesNeeded(double miss_rate, double confidence) {
  CHECK(miss_rate > 0 && miss_rate < 1 && confidence > 0 && confidence < 1);
  const double failure = 1 - confidence;
  auto needed = static_cast<std::size_t>(std::ceil(std::log(failure) / std::log1p(-miss_rate)));
  needed = std::max<std::size_t>(needed, 1);
  // Rounding must not promise one label too few or too many: ask the binomial itself.
  while (BinomialCdf(0, needed, miss_rate) > failure) {
    ++needed;
  }
  while (needed > 1 && BinomialCdf(0, needed - 1, miss_rate) <= failure) {
    --needed;
  }
  return needed;
}

Result<moderation::MissBound> FitMissBound(std::span<const double> positive_scores,
                                           double miss_rate, double confidence) {
  if (!(miss_rate > 0 && miss_rate < 1 && confidence > 0 && confidence < 1)) {
    return Fail(ErrorCode::kInvalidInput, "a miss rate and a confidence lie between 0 and 1",
                "as in --miss-rate 0.05 --confidence 0.9");
  }
  const std::size_t count = positive_scores.size();
  const std::size_t needed = PositivesNeeded(miss_rate, confidence);
  if (count < needed) {
    return Fail(ErrorCode::kLimit,
                "missing at most " + Percent(miss_rate) + " with confidence " +
                    Percent(confidence) + " cannot be promised from " + std::to_string(count) +
                    " labelled violations: it takes " + std::to_string(needed),
                "label " + std::to_string(needed - count) +
                    " more, or ask for a higher miss rate or a lower confidence");
  }
  std::vector<double> sorted(positive_scores.begin(), positive_scores.end());
  std::ranges::sort(sorted);
  std::size_t k = 1;
  while (k < count && BinomialCdf(k, count, miss_rate) <= 1 - confidence) {
    ++k;
  }
  const double threshold = sorted[k - 1];
  return moderation::MissBound{.miss_rate = miss_rate,
                               .confidence = confidence,
                               .threshold = threshold,
                               .positives = count,
                               .below = static_cast<std::size_t>(
                                   std::ranges::lower_bound(sorted, threshold) - sorted.begin())};
}

}  // namespace safeguard::eval
