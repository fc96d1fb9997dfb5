// Platt's sigmoid and the isotonic curve.
#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "eval/fit_calibration.h"

namespace safeguard::eval {
namespace {

using moderation::LogOdds;
using moderation::ScoreMap;

struct ClassCounts {
  double positives = 0;
  double negatives = 0;
};

Result<ClassCounts> CountClasses(std::span<const Scored> cases) {
  ClassCounts counts;
  for (const Scored& c : cases) {
    if (!(c.score >= 0 && c.score <= 1)) {
      return Fail(ErrorCode::kInvalidInput, "a score is not a number from 0 to 1",
                  "judge the golden set again");
    }
    (c.positive ? counts.positives : counts.negatives) += 1;
  }
  if (counts.positives == 0 || counts.negatives == 0) {
    return Fail(ErrorCode::kInvalidInput,
                counts.positives == 0 ? "there is no scored violation to calibrate on"
                                      : "there is no scored safe case to calibrate on",
                "add labelled cases of both kinds to the golden set");
  }
  return counts;
}

Error NothingRises() {
  return {ErrorCode::kInvalidInput,
          "violations do not score higher than safe cases: there is nothing to calibrate",
          "see `safeguard eval`; the judge does not understand this policy yet"};
}

// log(1 + exp(x)) without overflow.
double SoftPlus(double x) {
  return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
}

// Cross-entropy of smoothed targets, its gradient and Hessian at (slope, offset).
struct PlattPoint {
  double loss = 0;
  double slope_gradient = 0;
  double offset_gradient = 0;
  double h_ss = 1e-10;  // a ridge keeps the step finite when all scores are the same
  double h_so = 0;
  double h_oo = 1e-10;
};

struct PlattProblem {
  std::span<const Scored> cases;
  double positive_target = 1;
  double negative_target = 0;

  [[nodiscard]] PlattPoint At(double slope, double offset) const {
    PlattPoint point;
    for (const Scored& c : cases) {
      const double x = LogOdds(c.score);
      const double z = slope * x + offset;
      const double target = c.positive ? positive_target : negative_target;
      const double p = moderation::FromLogOdds(z);
      point.loss += SoftPlus(z) - target * z;
      point.slope_gradient += (p - target) * x;
      point.offset_gradient += p - target;
      point.h_ss += p * (1 - p) * x * x;
      point.h_so += p * (1 - p) * x;
      point.h_oo += p * (1 - p);
    }
    return point;
  }
};

// One block of the pooled curve.
struct Block {
  double begin = 0;  // log-odds
  double end = 0;
  double weight = 0;
  double positives = 0;
  [[nodiscard]] double mean() const { return positives / weight; }
};

std::vector<Block> PoolAdjacentViolators(std::span<const Scored> sorted) {
  std::vector<Block> blocks;
  for (std::size_t i = 0; i < sorted.size();) {
    Block block{.begin = LogOdds(sorted[i].score), .end = LogOdds(sorted[i].score)};
    for (; i < sorted.size() && LogOdds(sorted[i].score) == block.begin; ++i) {
      block.weight += 1;
      block.positives += sorted[i].positive ? 1 : 0;
    }
    blocks.push_back(block);
    while (blocks.size() > 1 && blocks[blocks.size() - 2].mean() >= blocks.back().mean()) {
      Block& left = blocks[blocks.size() - 2];
      left.end = blocks.back().end;
      left.weight += blocks.back().weight;
      left.positives += blocks.back().positives;
      blocks.pop_back();
    }
  }
  return blocks;
}

}  // namespace

Result<ScoreMap> FitPlatt(std::span<const Scored> cases) {
  const Result<ClassCounts> counts = CountClasses(cases);
  if (!counts) {
    return std::unexpected(counts.error());
  }
  const PlattProblem problem{.cases = cases,
                             .positive_target = (counts->positives + 1) / (counts->positives + 2),
                             .negative_target = 1 / (counts->negatives + 2)};
  double slope = 0;
  double offset = std::log((counts->positives + 1) / (counts->negatives + 1));
  PlattPoint here = problem.At(slope, offset);
  constexpr int kIterationsMax = 100;
  for (int i = 0; i < kIterationsMax; ++i) {
    if (std::abs(here.slope_gradient) < 1e-9 && std::abs(here.offset_gradient) < 1e-9) {
      break;
    }
    const double determinant = here.h_ss * here.h_oo - here.h_so * here.h_so;
    const double slope_step =
        -(here.h_oo * here.slope_gradient - here.h_so * here.offset_gradient) / determinant;
    const double offset_step =
        -(here.h_ss * here.offset_gradient - here.h_so * here.slope_gradient) / determinant;
    // Halve the step until it pays: the loss is convex, Newton's step need not be short enough.
    double length = 1;
    PlattPoint next = problem.At(slope + slope_step, offset + offset_step);
    while (!(next.loss <= here.loss) && length > 1e-10) {
      length /= 2;
      next = problem.At(slope + length * slope_step, offset + length * offset_step);
    }
    if (!(next.loss <= here.loss)) {
      break;
    }
    slope += length * slope_step;
    offset += length * offset_step;
    here = next;
  }
  if (!(slope > 0) || !std::isfinite(offset)) {
    return std::unexpected(NothingRises());
  }
  ScoreMap map;
  map.slope = slope;
  map.offset = offset;
  return map;
}

Result<ScoreMap> FitIsotonic(std::span<const Scored> cases) {
  if (const Result<ClassCounts> counts = CountClasses(cases); !counts) {
    return std::unexpected(counts.error());
  }
  std::vector<Scored> sorted(cases.begin(), cases.end());
  std::ranges::stable_sort(sorted, {}, &Scored::score);
  const std::vector<Block> blocks = PoolAdjacentViolators(sorted);
  if (blocks.size() < 2) {
    return std::unexpected(NothingRises());
  }
  const double least = 1 / (static_cast<double>(cases.size()) + 2);
  ScoreMap map;
  map.method = moderation::CalibrationMethod::kIsotonic;
  for (const Block& block : blocks) {
    const double probability = std::clamp(block.mean(), least, 1 - least);
    map.knots.push_back({block.begin, probability});
    if (block.end > block.begin) {
      map.knots.push_back({block.end, probability});
    }
  }
  if (map.knots.size() > kKnotsMax) {
    return Fail(ErrorCode::kLimit, "the isotonic curve has too many steps", "use platt");
  }
  return map;
}

}  // namespace safeguard::eval
