#include "apps/commands/eval_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <set>
#include <utility>

#include "apps/commands/eval_data.h"
#include "apps/commands/judging.h"
#include "apps/output/report_files.h"
#include "apps/version_info.h"
#include "eval/bootstrap.h"
#include "eval/label_task.h"
#include "eval/runner.h"

namespace safeguard::apps {
namespace {

constexpr std::size_t kFoldsDefault = 5;

Result<eval::Dataset> OwnGoldenSet(const LoadedPolicy& policy) {
  if (policy.golden.empty()) {
    return Fail(ErrorCode::kInvalidInput,
                "there is nothing to measure: " + policy.policy.id + " has no golden set",
                "give labelled data with --data");
  }
  eval::Dataset data;
  data.name = "golden";
  data.path = policy.golden_origin;
  data.hash = policy.golden_hash;
  for (const moderation::GoldenCase& golden : policy.golden) {
    data.records.push_back(eval::FromGoldenCase(golden));
  }
  return data;
}

// Records that the judge would be asked about after having been told the answer.
std::size_t CountLearned(const EvalPlan& plan) {
  std::set<std::string> learned;
  for (const LoadedPolicy& policy : plan.policies) {
    for (const moderation::GoldenCase& golden : policy.golden) {
      learned.insert(eval::NormalText(golden.content));
    }
  }
  std::size_t count = 0;
  for (const eval::Record& record : plan.data.records) {
    count += learned.contains(eval::NormalText(record.content)) ? 1 : 0;
  }
  return count;
}

void NoteLearning(const LoadedPolicy& policy, std::size_t policies, EvalPlan& plan) {
  const std::string of = policies > 1 ? policy.policy.id + ": " : "";
  plan.notes.push_back(policy.golden.empty()
                           ? of + "the judge learned from the policy's text alone"
                           : fmt::format("{}the judge learned from {} labelled cases: {}", of,
                                         policy.golden.size(), policy.golden_origin));
}

// Only the screen learns from labelled cases.
Status MakeHonest(const EvalArguments& arguments, EvalPlan& plan) {
  LoadedPolicy& first = plan.policies.front();
  if (arguments.judge.judge != "screen") {
    for (LoadedPolicy& policy : plan.policies) {
      policy.golden.clear();
    }
    if (plan.folds > 0) {
      return Fail(ErrorCode::kInvalidInput,
                  "--cross-validate goes with the screen: the " + arguments.judge.judge +
                      " judge learns from no labelled cases",
                  "leave it out");
    }
    return {};
  }
  const bool own = plan.data.hash == first.golden_hash && !first.golden.empty();
  if (own && plan.folds == 0 && plan.policies.size() == 1) {
    plan.folds = kFoldsDefault;
    plan.notes.push_back(
        fmt::format("the data are the policy's own golden set, so they were cross-validated "
                    "({} folds): nothing is scored by what has learned it",
                    plan.folds));
  }
  if (plan.folds > 0) {
    if (!arguments.golden.empty()) {
      return Fail(ErrorCode::kInvalidInput, "--golden and --cross-validate exclude each other",
                  "cross-validation learns from --data itself");
    }
    if (plan.policies.size() > 1) {
      return Fail(ErrorCode::kInvalidInput, "--cross-validate takes one policy",
                  "the labels of --data do not say which of several policies they are of");
    }
    first.golden.clear();
    return {};
  }
  for (const LoadedPolicy& policy : plan.policies) {
    NoteLearning(policy, plan.policies.size(), plan);
  }
  const std::size_t learned = CountLearned(plan);
  if (learned > 0) {
    plan.notes.push_back(
        fmt::format("{} of the records are among them: figures are too good; use --no-golden or "
                    "--cross-validate",
                    learned));
  }
  return {};
}

Result<std::vector<LoadedPolicy>> LoadAll(const EvalArguments& arguments, Services& services) {
  const PolicyCatalog catalog(services.shipped_policies(), arguments.data_dir);
  std::vector<LoadedPolicy> policies;
  for (const std::string& name : arguments.policies) {
    Result<LoadedPolicy> policy =
        catalog.Load(name, arguments.golden, arguments.no_golden ? Golden::kIgnore : Golden::kRead);
    if (!policy) {
      return std::unexpected(policy.error());
    }
    for (const LoadedPolicy& other : policies) {
      if (other.policy.id == policy->policy.id) {
        return Fail(ErrorCode::kInvalidInput, "two policies have the id " + policy->policy.id,
                    "give each its own id in its front matter, or name it once");
      }
    }
    policies.push_back(std::move(*policy));
  }
  return policies;
}

Status MatchPolicies(const EvalArguments& arguments, EvalPlan& plan) {
  std::vector<std::string> ids;
  for (const LoadedPolicy& policy : plan.policies) {
    ids.push_back(policy.policy.id);
  }
  if (arguments.any || (ids.size() == 1 && arguments.label_of.empty())) {
    return {};  // measured by the record's own outcome
  }
  Result<std::vector<std::string>> labels =
      eval::MatchLabels(ids, plan.data.records, arguments.label_of);
  if (!labels) {
    return std::unexpected(labels.error());
  }
  plan.labels = std::move(*labels);
  if (!arguments.reports.files.empty() && !plan.labels.empty()) {
    return Fail(ErrorCode::kInvalidInput,
                "--report is of one policy, and these answer for a label each",
                "name one policy, or keep a --run and report on it with `eval rescore --policy`");
  }
  return {};
}

bool EveryLabelKnown(const eval::Record& record, const std::vector<std::string>& labels) {
  return std::ranges::all_of(labels, [&record](const std::string& name) {
    const auto found = std::ranges::find(record.labels, name, &eval::LabelValue::name);
    return found != record.labels.end() && found->positive.has_value();
  });
}

// Leaves what is asked for, in the order of the data.
Status Select(const EvalArguments& arguments, EvalPlan& plan) {
  std::vector<eval::Record>& records = plan.data.records;
  if (arguments.complete_labels) {
    if (plan.labels.empty()) {
      return Fail(ErrorCode::kInvalidInput,
                  "--complete-labels needs policies that each answer for "
                  "a label of the data",
                  "name them with --label-of POLICY=LABEL");
    }
    std::erase_if(records, [&plan](const eval::Record& record) {
      return !EveryLabelKnown(record, plan.labels);
    });
    plan.notes.push_back(
        fmt::format("only the {} records whose every label is known", records.size()));
  }
  if (records.empty()) {
    return Fail(ErrorCode::kInvalidInput, "no record is left to judge",
                "leave --complete-labels out");
  }
  if (arguments.sample == 0 || arguments.sample >= records.size()) {
    return {};
  }
  std::mt19937_64 random(arguments.seed);
  std::vector<std::size_t> order(records.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
  }
  for (std::size_t i = 0; i < arguments.sample; ++i) {
    const auto left = static_cast<std::uint32_t>(order.size() - i);
    std::swap(order[i], order[i + eval::UniformBelow(random, left)]);
  }
  order.resize(arguments.sample);
  std::ranges::sort(order);
  plan.notes.push_back(fmt::format("a sample of {} of the {} records, seed {}", arguments.sample,
                                   records.size(), arguments.seed));
  std::vector<eval::Record> sample;
  for (const std::size_t index : order) {
    sample.push_back(std::move(records[index]));
  }
  records = std::move(sample);
  return {};
}

}  // namespace

Status CheckEvalArguments(const EvalArguments& arguments, bool routed) {
  if (Status judge = CheckJudge(arguments.judge); !judge && !routed) {
    return judge;
  }
  const bool answers_alone = arguments.data.empty() && !arguments.judge.recorded.empty();
  const auto wrong = [](const std::string& message, const std::string& hint) {
    return Fail(ErrorCode::kInvalidInput, message, hint);
  };
  if (arguments.policies.empty() && !routed) {
    return wrong("which policy?", "name one with --policy: a shipped one, or a file");
  }
  if (arguments.no_golden && arguments.data.empty()) {
    return wrong("--no-golden needs --data to measure against", "leave one out");
  }
  if (arguments.no_golden && !arguments.golden.empty()) {
    return wrong("--golden and --no-golden exclude each other", "leave one out");
  }
  if (arguments.policies.size() > 1 &&
      ((arguments.data.empty() && !answers_alone) || !arguments.golden.empty())) {
    return wrong(arguments.data.empty() ? "several policies need --data to be measured on"
                                        : "--golden teaches one policy, not several",
                 "give one --policy");
  }
  if (arguments.any && !arguments.label_of.empty()) {
    return wrong("--any and --label-of exclude each other",
                 "--any takes all policies as one; leave one out");
  }
  if (!arguments.prompting.empty() && arguments.judge.judge != "reasoner") {
    return wrong("--prompting goes with --judge reasoner",
                 "add --judge reasoner --model PATH, or leave it out");
  }
  if (arguments.prompting == "both" && arguments.policies.size() < 2) {
    return wrong("--prompting both compares ways to ask about several policies",
                 "name several with --policy");
  }
  if (Status reports = CheckReports(arguments.reports); !reports) {
    return reports;
  }
  if (arguments.restart && arguments.run.empty()) {
    return wrong("--restart goes with --run", "name the run file, or leave it out");
  }
  return {};
}

Result<EvalPlan> MakeEvalPlan(const EvalArguments& arguments, std::vector<LoadedPolicy> given,
                              Services& services, Console& console, bool& usage) {
  usage = false;
  EvalPlan plan;
  plan.folds = arguments.folds;
  plan.answers_alone = arguments.data.empty() && !arguments.judge.recorded.empty();
  if (given.empty()) {
    Result<std::vector<LoadedPolicy>> policies = LoadAll(arguments, services);
    if (!policies) {
      return std::unexpected(policies.error());
    }
    given = std::move(*policies);
  }
  plan.policies = std::move(given);
  for (LoadedPolicy& policy : plan.policies) {
    if (arguments.no_golden) {
      policy.golden.clear();
    }
  }
  usage = true;
  if (plan.policies.size() > 1 && arguments.data.empty()) {
    return Fail(ErrorCode::kInvalidInput, "several policies need --data to be measured on",
                "name the data, or a route of one policy");
  }
  Result<eval::Dataset> data = arguments.data.empty() && !plan.answers_alone
                                   ? OwnGoldenSet(plan.policies.front())
                                   : LoadEvalData(arguments);
  if (!data) {
    return std::unexpected(data.error());
  }
  plan.data = std::move(*data);
  ReportLineErrors(plan.data, console);
  Status status = MatchPolicies(arguments, plan);
  if (status) {
    status = MakeHonest(arguments, plan);
  }
  if (status) {
    status = Select(arguments, plan);
  }
  if (!status) {
    return std::unexpected(status.error());
  }
  return plan;
}

eval::RunHeader RunHeaderOf(const EvalPlan& plan, const EvalArguments& arguments,
                            const JudgeChoice& choice, std::string identity, bool routed) {
  std::vector<moderation::Policy> policies;
  for (const LoadedPolicy& policy : plan.policies) {
    policies.push_back(policy.policy);
  }
  eval::RunHeader header = eval::MakeHeader(plan.data, policies);
  const std::string git = GitDescribe();
  header.tool = std::string("safeguard ") + VersionText() + (git.empty() ? "" : " (" + git + ")");
  header.dataset_mapping = MappingText(arguments);
  header.sample = arguments.sample;
  header.seed = arguments.seed;
  header.folds = plan.folds;
  header.judge = routed ? "cascade" : choice.judge;
  header.judge_identity = std::move(identity);
  header.prompting = choice.judge == "reasoner" ? (choice.joint ? "joint" : "separate") : "";
  header.notes = plan.notes;
  for (std::size_t p = 0; p < plan.policies.size(); ++p) {
    header.policies[p].label = plan.labels.empty() ? "" : plan.labels[p];
    header.policies[p].golden = plan.policies[p].golden.empty() ? "" : plan.policies[p].golden_hash;
  }
  return header;
}

}  // namespace safeguard::apps
