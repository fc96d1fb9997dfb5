#include "eval/exact_match.h"

#include <algorithm>
#include <cstdint>

#include "base/check.h"

namespace safeguard::eval {
namespace {

using moderation::Outcome;

void Count(const LabelJudgement& judgement, LabelResult& result) {
  if (!judgement.expected) {
    ++result.unknown;
    return;
  }
  const bool expected = *judgement.expected;
  if (judgement.judged == Outcome::kUndetermined) {
    ++result.undetermined;
    result.with_undetermined.Add(expected, !expected);
    return;
  }
  result.decided.Add(expected, judgement.judged == Outcome::kViolation);
  result.with_undetermined.Add(expected, judgement.judged == Outcome::kViolation);
}

bool Matches(const LabelJudgement& judgement) {
  return judgement.judged == (*judgement.expected ? Outcome::kViolation : Outcome::kSafe);
}

}  // namespace

ExactMatch MeasureExactMatch(std::span<const std::string> names,
                             std::span<const std::vector<LabelJudgement>> items,
                             const BootstrapOptions& bootstrap) {
  ExactMatch result;
  result.items = items.size();
  for (const std::string& name : names) {
    result.labels.push_back({.name = name});
  }
  std::vector<std::uint8_t> matched;  // one for each complete item
  for (const std::vector<LabelJudgement>& item : items) {
    CHECK(item.size() == names.size());
    for (std::size_t l = 0; l < item.size(); ++l) {
      Count(item[l], result.labels[l]);
    }
    const bool complete =
        !item.empty() && std::ranges::all_of(item, [](const LabelJudgement& judgement) {
          return judgement.expected.has_value();
        });
    if (complete) {
      matched.push_back(std::ranges::all_of(item, Matches) ? 1 : 0);
    }
  }
  result.complete = matched.size();
  result.matches = static_cast<std::size_t>(std::ranges::count(matched, std::uint8_t{1}));
  double f1_sum = 0;
  std::size_t f1_count = 0;
  for (const LabelResult& label : result.labels) {
    if (const std::optional<double> f1 = F1(label.with_undetermined)) {
      f1_sum += *f1;
      ++f1_count;
    }
  }
  if (f1_count > 0) {
    result.macro_f1 = f1_sum / static_cast<double>(f1_count);
  }
  if (matched.empty()) {
    return result;
  }
  const auto complete = static_cast<double>(result.complete);
  result.share = static_cast<double>(result.matches) / complete;
  BootstrapOptions plain = bootstrap;
  plain.stratified = false;  // by match or miss, every resample would have the same share
  const auto measure = [&matched, complete](std::span<const std::uint32_t> weights) {
    double matches = 0;
    for (std::size_t i = 0; i < matched.size(); ++i) {
      matches += matched[i] != 0 ? weights[i] : 0;
    }
    return std::vector<std::optional<double>>{matches / complete};
  };
  result.interval = BootstrapIntervals(matched, 1, measure, plain).front();
  return result;
}

}  // namespace safeguard::eval
