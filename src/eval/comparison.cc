#include "eval/comparison.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "base/check.h"

namespace safeguard::eval {
namespace {

using moderation::Outcome;

struct Pair {
  const CaseResult* a = nullptr;
  const CaseResult* b = nullptr;
  std::optional<bool> expected;
};

std::string KeyOf(const RunCase& recorded) {
  return std::to_string(recorded.record.line) + " " + recorded.record.content.id + "\n" +
         recorded.content_hash;
}

std::size_t Row(Outcome outcome) {
  return outcome == Outcome::kViolation ? 0 : outcome == Outcome::kSafe ? 1 : 2;
}

// What an undetermined verdict counts as: the wrong answer.
bool Judged(const CaseResult& result, bool expected) {
  return result.verdict.outcome == Outcome::kUndetermined
             ? !expected
             : result.verdict.outcome == Outcome::kViolation;
}

std::optional<double> ScoreOf(const CaseResult& result) {
  const std::optional<double>& score = result.verdict.score;
  return score && *score >= 0 && *score <= 1 ? score : std::nullopt;
}

Result<std::vector<Pair>> PairUp(const RecordedRun& a, std::size_t policy_a, const RecordedRun& b,
                                 std::size_t policy_b, Comparison& comparison) {
  std::map<std::string, const RunCase*> of_a;
  for (const RunCase& recorded : a.cases) {
    of_a[KeyOf(recorded)] = &recorded;
  }
  std::vector<Pair> pairs;
  std::size_t differing = 0;
  for (const RunCase& recorded : b.cases) {
    const auto found = of_a.find(KeyOf(recorded));
    if (found == of_a.end()) {
      ++comparison.only_in_b;
      continue;
    }
    const Record& record = found->second->record;
    differing += record.expected != recorded.record.expected ? 1 : 0;
    Pair& pair = pairs.emplace_back();
    pair.a = &found->second->judged.results[policy_a];
    pair.b = &recorded.judged.results[policy_b];
    if (record.expected) {
      pair.expected = *record.expected == Outcome::kViolation;
    }
  }
  comparison.only_in_a = a.cases.size() - pairs.size();
  if (differing > 0) {
    return Fail(ErrorCode::kInvalidInput,
                "the runs read the labels differently: " + std::to_string(differing) +
                    " cases are expected one way in " + a.path + " and another way in " + b.path,
                "judge both with the same --map, --positive and --format");
  }
  return pairs;
}

// The labels of the policies, where both runs are of several labels.
void ExpectLabel(const std::string& label, const RecordedRun& a, std::vector<Pair>& pairs) {
  std::map<const CaseResult*, std::optional<bool>> expected;
  for (const RunCase& recorded : a.cases) {
    for (const LabelValue& value : recorded.record.labels) {
      if (value.name == label) {
        for (const CaseResult& result : recorded.judged.results) {
          expected[&result] = value.positive;
        }
      }
    }
  }
  for (Pair& pair : pairs) {
    pair.expected = expected[pair.a];
  }
}

void CountPair(const Pair& pair, Comparison& comparison) {
  const bool expected = *pair.expected;
  const bool a = Judged(*pair.a, expected) == expected;
  const bool b = Judged(*pair.b, expected) == expected;
  comparison.both_right += a && b ? 1 : 0;
  comparison.only_a_right += a && !b ? 1 : 0;
  comparison.only_b_right += b && !a ? 1 : 0;
  comparison.both_wrong += !a && !b ? 1 : 0;
}

// Over pairs that both (or one and the label) decided.
void MeasureAgreement(const std::vector<Pair>& pairs, Comparison& comparison) {
  Confusion between{};
  Confusion a_to_labels{};
  Confusion b_to_labels{};
  for (const Pair& pair : pairs) {
    const Outcome a = pair.a->verdict.outcome;
    const Outcome b = pair.b->verdict.outcome;
    ++comparison.outcomes[Row(a)][Row(b)];
    if (a != Outcome::kUndetermined && b != Outcome::kUndetermined) {
      between.Add(a == Outcome::kViolation, b == Outcome::kViolation);
    }
    if (pair.expected && a != Outcome::kUndetermined) {
      a_to_labels.Add(*pair.expected, a == Outcome::kViolation);
    }
    if (pair.expected && b != Outcome::kUndetermined) {
      b_to_labels.Add(*pair.expected, b == Outcome::kViolation);
    }
  }
  comparison.agreement = Kappa(between);
  comparison.a_to_labels = Kappa(a_to_labels);
  comparison.b_to_labels = Kappa(b_to_labels);
}

void Fill(const std::optional<double>& a, const std::optional<double>& b,
          const std::optional<Interval>& interval, FigureDifference& figure) {
  figure.a = a;
  figure.b = b;
  if (a && b) {
    figure.difference = *b - *a;
    figure.interval = interval;
  }
}

std::optional<double> Minus(const std::optional<double>& b, const std::optional<double>& a) {
  return a && b ? std::optional(*b - *a) : std::nullopt;
}

void MeasureDecisions(const std::vector<Pair>& labelled, const BootstrapOptions& options,
                      Comparison& comparison) {
  std::vector<std::uint8_t> positive;
  for (const Pair& pair : labelled) {
    positive.push_back(*pair.expected ? 1 : 0);
  }
  const auto count = [&labelled](std::span<const std::uint32_t> weights) {
    std::pair<Confusion, Confusion> both;
    for (std::size_t i = 0; i < labelled.size(); ++i) {
      const bool expected = *labelled[i].expected;
      const std::size_t times = weights.empty() ? 1 : weights[i];
      both.first.Add(expected, Judged(*labelled[i].a, expected), times);
      both.second.Add(expected, Judged(*labelled[i].b, expected), times);
    }
    return both;
  };
  const auto measure = [&count](std::span<const std::uint32_t> weights) {
    const auto [a, b] = count(weights);
    return std::vector<std::optional<double>>{Minus(Accuracy(b), Accuracy(a)), Minus(F1(b), F1(a))};
  };
  const auto intervals = BootstrapIntervals(positive, 2, measure, options);
  const auto [a, b] = count({});
  Fill(Accuracy(a), Accuracy(b), intervals[0], comparison.accuracy);
  Fill(F1(a), F1(b), intervals[1], comparison.f1);
}

void MeasureScores(const std::vector<Pair>& labelled, const BootstrapOptions& options,
                   Comparison& comparison) {
  std::vector<std::uint8_t> positive;
  std::vector<Scored> of_a;
  std::vector<Scored> of_b;
  for (const Pair& pair : labelled) {
    const std::optional<double> a = ScoreOf(*pair.a);
    const std::optional<double> b = ScoreOf(*pair.b);
    if (a && b) {
      of_a.push_back({.score = *a, .positive = *pair.expected});
      of_b.push_back({.score = *b, .positive = *pair.expected});
      positive.push_back(*pair.expected ? 1 : 0);
    }
  }
  comparison.scored = positive.size();
  const Ranking a(of_a);
  const Ranking b(of_b);
  const auto measure = [&](std::span<const std::uint32_t> weights) {
    return std::vector<std::optional<double>>{
        Minus(b.Measure({}, weights).roc_auc, a.Measure({}, weights).roc_auc)};
  };
  const auto intervals = BootstrapIntervals(positive, 1, measure, options);
  Fill(a.Measure({}).roc_auc, b.Measure({}).roc_auc, intervals[0], comparison.roc_auc);
}

}  // namespace

McNemar TestMcNemar(std::size_t only_a_right, std::size_t only_b_right) {
  McNemar test;
  const auto n = static_cast<double>(only_a_right + only_b_right);
  const auto fewer = static_cast<double>(std::min(only_a_right, only_b_right));
  if (n == 0) {
    return test;
  }
  if (only_a_right + only_b_right <= kExactPairsMax) {
    double tail = 0;  // P(X <= fewer), X binomial(n, 1/2)
    for (double k = 0; k <= fewer; ++k) {
      tail += std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) -
                       n * std::log(2.0));
    }
    test.p = std::min(1.0, 2 * tail);
    return test;
  }
  test.exact = false;
  const double distance = std::max(0.0, n - 2 * fewer - 1);
  test.p = std::erfc(std::sqrt(distance * distance / n / 2));
  return test;
}

Result<Comparison> CompareRuns(const RecordedRun& a, std::size_t policy_a, const RecordedRun& b,
                               std::size_t policy_b, const BootstrapOptions& bootstrap) {
  CHECK(policy_a < a.header.policies.size() && policy_b < b.header.policies.size());
  if (a.header.dataset_hash != b.header.dataset_hash) {
    return Fail(ErrorCode::kInvalidInput,
                "the runs are of different data: " + a.path + " of " + a.header.dataset_path +
                    " (" + a.header.dataset_hash.substr(0, 12) + "), " + b.path + " of " +
                    b.header.dataset_path + " (" + b.header.dataset_hash.substr(0, 12) + ")",
                "judge both on the same file");
  }
  Comparison comparison;
  Result<std::vector<Pair>> pairs = PairUp(a, policy_a, b, policy_b, comparison);
  if (!pairs) {
    return std::unexpected(pairs.error());
  }
  if (pairs->empty()) {
    return Fail(ErrorCode::kInvalidInput, "no case was judged in both runs",
                "use the same --sample and --seed for both");
  }
  const std::string& label = a.header.policies[policy_a].label;
  if (label != b.header.policies[policy_b].label) {
    return Fail(ErrorCode::kInvalidInput,
                "the policies answer for different labels: \"" + label + "\" and \"" +
                    b.header.policies[policy_b].label + "\"",
                "choose policies of one label with --policy");
  }
  if (!label.empty()) {
    ExpectLabel(label, a, *pairs);
  }
  comparison.pairs = pairs->size();
  std::vector<Pair> labelled;
  std::vector<CaseResult> results_a;
  std::vector<CaseResult> results_b;
  for (const Pair& pair : *pairs) {
    results_a.push_back(*pair.a);
    results_b.push_back(*pair.b);
    if (pair.expected) {
      labelled.push_back(pair);
      CountPair(pair, comparison);
    }
  }
  comparison.labelled = labelled.size();
  comparison.test = TestMcNemar(comparison.only_a_right, comparison.only_b_right);
  MeasureDecisions(labelled, bootstrap, comparison);
  MeasureScores(labelled, bootstrap, comparison);
  MeasureAgreement(*pairs, comparison);
  comparison.cost_a = MeanCostOf(results_a);
  comparison.cost_b = MeanCostOf(results_b);
  if (comparison.only_in_a + comparison.only_in_b > 0) {
    comparison.notes.push_back("only cases judged in both runs are compared");
  }
  return comparison;
}

}  // namespace safeguard::eval
