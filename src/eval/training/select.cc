#include <algorithm>
#include <chrono>
#include <utility>

#include "base/check.h"
#include "eval/training.h"

namespace safeguard::eval {
namespace {

using Clock = std::chrono::steady_clock;

bool IsViolation(const Record& record) {
  return record.expected == moderation::Outcome::kViolation;
}

struct Folded {
  std::vector<std::size_t> learn;
  std::vector<std::size_t> score;
};

Folded FoldOf(const TrainingSplit& split, std::size_t fold) {
  Folded parts;
  for (std::size_t i = 0; i < split.train.size(); ++i) {
    (split.fold[i] == fold ? parts.score : parts.learn).push_back(split.train[i]);
  }
  return parts;
}

Result<Validation> Validate(Candidate& candidate, std::span<const Record> records,
                            const TrainingSplit& split) {
  const Clock::time_point start = Clock::now();
  Validation validation;
  validation.name = candidate.name();
  for (const std::size_t fold : split.validate) {
    const Folded parts = FoldOf(split, fold);
    const Result<std::vector<std::optional<double>>> scores =
        candidate.LearnAndScore(parts.learn, parts.score);
    if (!scores) {
      return std::unexpected(scores.error());
    }
    CHECK(scores->size() == parts.score.size());
    for (std::size_t i = 0; i < parts.score.size(); ++i) {
      validation.scored.push_back({(*scores)[i].value_or(0), IsViolation(records[parts.score[i]])});
    }
  }
  validation.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return validation;
}

std::optional<double> AveragePrecision(const Ranking& ranking,
                                       std::span<const std::uint32_t> weights = {}) {
  return ranking.Measure({}, weights).average_precision;
}

// Intervals of each candidate's average precision, and of the lead of one over another.
void AddIntervals(Selection& selection, std::size_t second, const BootstrapOptions& bootstrap) {
  std::vector<std::uint8_t> positive;
  for (const Scored& scored : selection.candidates.front().scored) {
    positive.push_back(scored.positive ? 1 : 0);
  }
  std::vector<Ranking> rankings;
  for (const Validation& candidate : selection.candidates) {
    rankings.emplace_back(candidate.scored);
  }
  const std::size_t count = rankings.size();
  const auto measure = [&](std::span<const std::uint32_t> weights) {
    std::vector<std::optional<double>> figures;
    for (const Ranking& ranking : rankings) {
      figures.push_back(AveragePrecision(ranking, weights));
    }
    std::optional<double> lead;
    if (figures[selection.winner] && figures[second]) {
      lead = *figures[selection.winner] - *figures[second];
    }
    figures.push_back(lead);
    return figures;
  };
  const std::vector<std::optional<Interval>> intervals =
      BootstrapIntervals(positive, count + 1, measure, bootstrap);
  for (std::size_t i = 0; i < count; ++i) {
    selection.candidates[i].average_precision_interval = intervals[i];
  }
  if (count > 1) {
    selection.lead_interval = intervals[count];
  }
}

}  // namespace

Result<Selection> SelectCandidate(std::span<Candidate* const> candidates,
                                  std::span<const Record> records, const TrainingSplit& split,
                                  const BootstrapOptions& bootstrap) {
  CHECK(!candidates.empty());
  Selection selection;
  for (const std::size_t fold : split.validate) {
    const Folded parts = FoldOf(split, fold);
    selection.validated.insert(selection.validated.end(), parts.score.begin(), parts.score.end());
  }
  for (Candidate* candidate : candidates) {
    Result<Validation> validation = Validate(*candidate, records, split);
    if (!validation) {
      return std::unexpected(validation.error());
    }
    const RankMetrics metrics = Ranking(validation->scored).Measure({});
    validation->average_precision = metrics.average_precision;
    validation->roc_auc = metrics.roc_auc;
    selection.candidates.push_back(std::move(*validation));
  }
  const auto figure = [&selection](std::size_t i) {
    return selection.candidates[i].average_precision.value_or(-1);
  };
  std::size_t second = selection.candidates.size();
  for (std::size_t i = 1; i < selection.candidates.size(); ++i) {
    selection.winner = figure(i) > figure(selection.winner) ? i : selection.winner;
  }
  for (std::size_t i = 0; i < selection.candidates.size(); ++i) {
    if (i != selection.winner &&
        (second == selection.candidates.size() || figure(i) > figure(second))) {
      second = i;
    }
  }
  if (second == selection.candidates.size()) {
    second = selection.winner;
  } else {
    selection.lead = figure(selection.winner) - figure(second);
  }
  AddIntervals(selection, second, bootstrap);
  return selection;
}

}  // namespace safeguard::eval
