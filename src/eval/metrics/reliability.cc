#include "eval/reliability.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "base/check.h"
#include "eval/intervals.h"

namespace safeguard::eval {
namespace {

bool AreProbabilities(std::span<const Scored> cases) {
  return !cases.empty() &&
         std::ranges::all_of(cases, [](const Scored& c) { return c.score >= 0 && c.score <= 1; });
}

// Where each bin ends in `sorted`, ascending by score.
std::vector<std::size_t> BinEnds(std::span<const Scored> sorted, Binning binning,
                                 std::size_t bins) {
  std::vector<std::size_t> ends;
  std::size_t at = 0;
  for (std::size_t bin = 1; bin <= bins; ++bin) {
    if (binning == Binning::kEqualMass) {
      at = std::max(at, sorted.size() * bin / bins);
      while (at > 0 && at < sorted.size() && sorted[at].score == sorted[at - 1].score) {
        ++at;
      }
    } else {
      // The same arithmetic as for an index, so that 0.3 falls into the bin that begins with it.
      while (at < sorted.size() &&
             (bin == bins ||
              static_cast<std::size_t>(sorted[at].score * static_cast<double>(bins)) < bin)) {
        ++at;
      }
    }
    if (at > (ends.empty() ? 0 : ends.back())) {
      ends.push_back(at);
    }
  }
  return ends;
}

std::vector<Scored> Sorted(std::span<const Scored> cases) {
  std::vector<Scored> sorted(cases.begin(), cases.end());
  std::ranges::stable_sort(sorted, {}, &Scored::score);
  return sorted;
}

ReliabilityBin MakeBin(std::span<const Scored> cases) {
  ReliabilityBin bin;
  bin.cases = cases.size();
  bin.score_low = cases.front().score;
  bin.score_high = cases.back().score;
  for (const Scored& c : cases) {
    bin.score_mean += c.score;
    bin.positives += c.positive ? 1 : 0;
  }
  bin.score_mean /= static_cast<double>(bin.cases);
  bin.positive_share = static_cast<double>(bin.positives) / static_cast<double>(bin.cases);
  bin.interval = *WilsonInterval(bin.positives, bin.cases);
  return bin;
}

}  // namespace

std::size_t ReliabilityBinCount(std::size_t cases) {
  return std::clamp<std::size_t>(cases / 10, 1, kCalibrationBins);
}

std::optional<Reliability> MeasureReliability(std::span<const Scored> cases, Binning binning,
                                              std::size_t bins) {
  CHECK(bins >= 1);
  if (!AreProbabilities(cases)) {
    return std::nullopt;
  }
  const std::vector<Scored> sorted = Sorted(cases);
  Reliability result;
  std::size_t begin = 0;
  for (const std::size_t end : BinEnds(sorted, binning, bins)) {
    const ReliabilityBin bin = MakeBin(std::span(sorted).subspan(begin, end - begin));
    const double gap = std::abs(bin.score_mean - bin.positive_share);
    result.expected_calibration_error +=
        gap * static_cast<double>(bin.cases) / static_cast<double>(sorted.size());
    result.maximum_calibration_error = std::max(result.maximum_calibration_error, gap);
    result.bins.push_back(bin);
    begin = end;
  }
  return result;
}

std::optional<double> CalibrationErrorByChance(std::span<const Scored> cases, Binning binning,
                                               std::size_t bins, std::size_t resamples,
                                               std::uint64_t seed) {
  CHECK(bins >= 1 && resamples >= 1);
  if (!AreProbabilities(cases)) {
    return std::nullopt;
  }
  const std::vector<Scored> sorted = Sorted(cases);
  const std::vector<std::size_t> ends = BinEnds(sorted, binning, bins);
  std::mt19937_64 random(seed);
  double sum = 0;
  for (std::size_t resample = 0; resample < resamples; ++resample) {
    std::size_t begin = 0;
    for (const std::size_t end : ends) {
      double gap = 0;  // of the bin, times its cases
      for (std::size_t i = begin; i < end; ++i) {
        const double uniform = static_cast<double>(random() >> 11) * 0x1p-53;
        gap += sorted[i].score - (uniform < sorted[i].score ? 1 : 0);
      }
      sum += std::abs(gap);
      begin = end;
    }
  }
  return sum / static_cast<double>(sorted.size() * resamples);
}

std::optional<double> BrierScore(std::span<const Scored> cases) {
  if (!AreProbabilities(cases)) {
    return std::nullopt;
  }
  double sum = 0;
  for (const Scored& c : cases) {
    const double miss = c.score - (c.positive ? 1 : 0);
    sum += miss * miss;
  }
  return sum / static_cast<double>(cases.size());
}

}  // namespace safeguard::eval
