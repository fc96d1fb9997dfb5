#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "eval/reliability.h"
#include "eval/training.h"

namespace safeguard::eval {
namespace {

bool IsViolation(const Record& record) {
  return record.expected == moderation::Outcome::kViolation;
}

Confusion CountOf(std::span<const Scored> cases, double threshold,
                  std::span<const std::uint32_t> weights) {
  Confusion counts;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    counts.Add(cases[i].positive, cases[i].score >= threshold, weights.empty() ? 1 : weights[i]);
  }
  return counts;
}

std::vector<std::optional<double>> FiguresOf(std::span<const Scored> cases, const Ranking& ranking,
                                             double threshold,
                                             std::span<const std::uint32_t> weights) {
  const Confusion counts = CountOf(cases, threshold, weights);
  const RankMetrics ranks = ranking.Measure({}, weights);
  std::optional<double> at_one;
  if (ranks.recall_at_false_alarms) {
    at_one = ranks.recall_at_false_alarms->recall;
  }
  return {Precision(counts), Recall(counts),          F1(counts),
          ranks.roc_auc,     ranks.average_precision, at_one};
}

std::vector<std::uint8_t> Sides(const std::vector<bool>& positive) {
  std::vector<std::uint8_t> sides;
  for (const bool one : positive) {
    sides.push_back(one ? 1 : 0);
  }
  return sides;
}

// `share` of each side, in the order given: nested for growing shares.
std::vector<std::size_t> ShareOf(std::span<const std::size_t> records, double share,
                                 std::span<const Record> all) {
  std::array<std::size_t, 2> total{};
  for (const std::size_t i : records) {
    ++total[IsViolation(all[i]) ? 1 : 0];
  }
  std::array<std::size_t, 2> taken{};
  std::vector<std::size_t> some;
  for (const std::size_t i : records) {
    const std::size_t side = IsViolation(all[i]) ? 1 : 0;
    if (static_cast<double>(taken[side]) < share * static_cast<double>(total[side])) {
      ++taken[side];
      some.push_back(i);
    }
  }
  return some;
}

bool Enough(std::span<const std::size_t> records, std::span<const Record> all) {
  constexpr std::size_t kLeast = 2;
  std::array<std::size_t, 2> total{};
  for (const std::size_t i : records) {
    ++total[IsViolation(all[i]) ? 1 : 0];
  }
  return std::min(total[0], total[1]) >= kLeast;
}

Result<LearningPoint> PointOf(Candidate& candidate, std::span<const Record> records, double share,
                              std::span<const std::size_t> learn,
                              std::span<const std::size_t> validate,
                              std::span<const std::size_t> test,
                              const BootstrapOptions& bootstrap) {
  std::vector<std::size_t> score(validate.begin(), validate.end());
  score.insert(score.end(), test.begin(), test.end());
  const Result<std::vector<std::optional<double>>> scores = candidate.LearnAndScore(learn, score);
  if (!scores) {
    return std::unexpected(scores.error());
  }
  std::vector<Scored> held_out;
  for (std::size_t i = 0; i < validate.size(); ++i) {
    held_out.push_back({(*scores)[i].value_or(0), IsViolation(records[validate[i]])});
  }
  const std::optional<OperatingPoint> best = Ranking(held_out).Measure({}).best_f1;
  std::vector<bool> positive;
  for (const std::size_t i : test) {
    positive.push_back(IsViolation(records[i]));
  }
  const TestFigures figures = MeasureTest(std::span(*scores).subspan(validate.size()), positive,
                                          best ? best->threshold : 0.5, bootstrap);
  LearningPoint point;
  point.share = share;
  point.learned = learn.size();
  point.positives = static_cast<std::size_t>(
      std::ranges::count_if(learn, [&records](std::size_t i) { return IsViolation(records[i]); }));
  point.f1 = figures.f1;
  point.roc_auc = figures.roc_auc;
  return point;
}

}  // namespace

TestFigures MeasureTest(std::span<const std::optional<double>> probabilities,
                        const std::vector<bool>& positive, double threshold,
                        const BootstrapOptions& bootstrap) {
  CHECK(probabilities.size() == positive.size());
  std::vector<Scored> cases;
  for (std::size_t i = 0; i < positive.size(); ++i) {
    // What could not be read is below every threshold, even one of 0.
    cases.push_back({probabilities[i].value_or(-1), positive[i]});
  }
  const Ranking ranking(cases);
  const auto measure = [&](std::span<const std::uint32_t> weights) {
    return FiguresOf(cases, ranking, threshold, weights);
  };
  const std::vector<std::optional<double>> values = measure({});
  const std::vector<std::uint8_t> sides = Sides(positive);
  const std::vector<std::optional<Interval>> intervals =
      BootstrapIntervals(sides, values.size(), measure, bootstrap);
  TestFigures figures;
  figures.counts = CountOf(cases, threshold, {});
  Figure* const places[] = {&figures.precision,
                            &figures.recall,
                            &figures.f1,
                            &figures.roc_auc,
                            &figures.average_precision,
                            &figures.recall_at_1_percent};
  for (std::size_t i = 0; i < values.size(); ++i) {
    *places[i] = {values[i], intervals[i]};
  }
  if (const auto reliability =
          MeasureReliability(cases, Binning::kEqualMass, ReliabilityBinCount(cases.size()))) {
    figures.calibration_error = reliability->expected_calibration_error;
  }
  return figures;
}

Figure F1Difference(const std::vector<bool>& first, const std::vector<bool>& second,
                    const std::vector<bool>& positive, const BootstrapOptions& bootstrap) {
  CHECK(first.size() == positive.size() && second.size() == positive.size());
  const auto measure = [&](std::span<const std::uint32_t> weights) {
    Confusion a;
    Confusion b;
    for (std::size_t i = 0; i < positive.size(); ++i) {
      const std::size_t times = weights.empty() ? 1 : weights[i];
      a.Add(positive[i], first[i], times);
      b.Add(positive[i], second[i], times);
    }
    const std::optional<double> fa = F1(a);
    const std::optional<double> fb = F1(b);
    return std::vector<std::optional<double>>{fa && fb ? std::optional(*fa - *fb) : std::nullopt};
  };
  const std::vector<std::uint8_t> sides = Sides(positive);
  return {measure({})[0], BootstrapIntervals(sides, 1, measure, bootstrap)[0]};
}

Result<std::vector<LearningPoint>> LearningCurve(Candidate& candidate,
                                                 std::span<const Record> records,
                                                 const TrainingSplit& split,
                                                 std::span<const std::size_t> test,
                                                 const BootstrapOptions& bootstrap) {
  std::vector<std::size_t> learn;
  std::vector<std::size_t> validate;
  for (std::size_t i = 0; i < split.train.size(); ++i) {
    (split.fold[i] == 0 ? validate : learn).push_back(split.train[i]);
  }
  std::vector<LearningPoint> curve;
  for (const double share : {0.1, 0.3, 1.0}) {
    const std::vector<std::size_t> some = ShareOf(learn, share, records);
    const std::vector<std::size_t> held_out = ShareOf(validate, share, records);
    if (!Enough(some, records) || !Enough(held_out, records)) {
      continue;
    }
    const Result<LearningPoint> point =
        PointOf(candidate, records, share, some, held_out, test, bootstrap);
    if (!point) {
      return std::unexpected(point.error());
    }
    curve.push_back(*point);
  }
  return curve;
}

}  // namespace safeguard::eval
