#include "eval/label_task.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/check.h"

namespace safeguard::eval {
namespace {

using moderation::Outcome;

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

std::set<std::string> LabelsOf(std::span<const Record> records) {
  std::set<std::string> labels;
  for (const Record& record : records) {
    for (const LabelValue& label : record.labels) {
      labels.insert(label.name);
    }
  }
  return labels;
}

std::string Listed(const std::set<std::string>& names) {
  std::string all;
  for (const std::string& name : names) {
    all += (all.empty() ? "" : ", ") + name;
  }
  return all.empty() ? "the records have no labels of several kinds" : "its labels are " + all;
}

std::string LabelByName(const std::string& policy, const std::set<std::string>& labels) {
  const std::string id = Lower(policy);
  for (const std::string& label : labels) {
    if (id == Lower(label) || id.ends_with("-" + Lower(label))) {
      return label;
    }
  }
  return {};
}

Status TakeGiven(std::span<const std::string> policies, const std::set<std::string>& labels,
                 std::span<const std::string> given, std::vector<std::string>& matched) {
  for (const std::string& pair : given) {
    const std::size_t at = pair.find('=');
    const std::string policy = pair.substr(0, at);
    const std::string label = at == std::string::npos ? "" : pair.substr(at + 1);
    const auto found = std::ranges::find(policies, policy);
    if (at == std::string::npos || found == policies.end()) {
      return Fail(ErrorCode::kInvalidInput,
                  "--label-of " + pair + " names no policy of this evaluation",
                  "write POLICY=LABEL with the id of a --policy");
    }
    if (!labels.contains(label)) {
      return Fail(ErrorCode::kInvalidInput, "the data have no label \"" + label + "\"",
                  Listed(labels));
    }
    matched[static_cast<std::size_t>(found - policies.begin())] = label;
  }
  return {};
}

std::optional<bool> Expected(const Record& record, const std::string& label) {
  const auto found = std::ranges::find(record.labels, label, &LabelValue::name);
  return found == record.labels.end() ? std::nullopt : found->positive;
}

bool Right(const LabelJudgement& judgement) {
  return judgement.judged == (*judgement.expected ? Outcome::kViolation : Outcome::kSafe);
}

void CountMicro(const std::vector<LabelJudgement>& item, LabelTask& task) {
  for (const LabelJudgement& judgement : item) {
    if (judgement.expected) {
      const bool expected = *judgement.expected;
      task.undetermined += judgement.judged == Outcome::kUndetermined ? 1 : 0;
      task.micro.Add(expected, Right(judgement) ? expected : !expected);
    }
  }
}

}  // namespace

Result<std::vector<std::string>> MatchLabels(std::span<const std::string> policies,
                                             std::span<const Record> records,
                                             std::span<const std::string> given) {
  const std::set<std::string> labels = LabelsOf(records);
  std::vector<std::string> matched(policies.size());
  if (const Status taken = TakeGiven(policies, labels, given, matched); !taken) {
    return std::unexpected(taken.error());
  }
  std::set<std::string> used;
  for (std::size_t p = 0; p < policies.size(); ++p) {
    if (matched[p].empty()) {
      matched[p] = LabelByName(policies[p], labels);
    }
    if (matched[p].empty()) {
      if (given.empty()) {
        return std::vector<std::string>();
      }
      return Fail(ErrorCode::kInvalidInput, "no label is named for the policy " + policies[p],
                  "add --label-of " + policies[p] + "=LABEL; " + Listed(labels));
    }
    if (!used.insert(matched[p]).second) {
      return Fail(ErrorCode::kInvalidInput, "two policies answer for the label " + matched[p],
                  "name one policy for each label, with --label-of POLICY=LABEL");
    }
  }
  return matched;
}

LabelTask MeasureLabels(std::span<const std::string> labels, std::span<const Record> records,
                        std::span<const EvaluationRun> runs, const BootstrapOptions& bootstrap) {
  CHECK(labels.size() == runs.size());
  LabelTask task;
  std::vector<std::vector<LabelJudgement>> items;
  std::vector<CaseResult> costs;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (!std::ranges::all_of(runs,
                             [i](const EvaluationRun& run) { return run.results[i].judged; })) {
      continue;
    }
    std::vector<LabelJudgement>& item = items.emplace_back();
    CaseResult& cost = costs.emplace_back();
    cost.judged = true;
    for (std::size_t l = 0; l < labels.size(); ++l) {
      const CaseResult& result = runs[l].results[i];
      item.push_back(
          {.expected = Expected(records[i], labels[l]), .judged = result.verdict.outcome});
      cost.seconds += result.seconds;
      cost.verdict.tokens.prompt += result.verdict.tokens.prompt;
      cost.verdict.tokens.cached += result.verdict.tokens.cached;
      cost.verdict.tokens.reasoning += result.verdict.tokens.reasoning;
      cost.verdict.tokens.answer += result.verdict.tokens.answer;
    }
    CountMicro(item, task);
    const auto known = [](const LabelJudgement& judgement) {
      return judgement.expected.has_value();
    };
    if (std::ranges::all_of(item, known)) {
      task.complete.push_back(i);
      task.matched.push_back(std::ranges::all_of(item, Right) ? 1 : 0);
    }
  }
  task.exact = MeasureExactMatch(labels, items, bootstrap);
  task.micro_f1 = F1(task.micro);
  task.cost = MeanCostOf(costs);
  return task;
}

}  // namespace safeguard::eval
