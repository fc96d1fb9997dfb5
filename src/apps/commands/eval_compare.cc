#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "apps/commands/commands.h"
#include "apps/commands/eval_figures.h"
#include "apps/output/display_text.h"
#include "apps/output/table.h"
#include "apps/output/verdict_json.h"
#include "eval/comparison.h"

namespace safeguard::apps {
namespace {

Result<std::size_t> FindPolicy(const eval::RecordedRun& run, const std::string& policy) {
  const std::vector<eval::RunPolicy>& policies = run.header.policies;
  if (policy.empty() && policies.size() == 1) {
    return 0;
  }
  const auto found = std::ranges::find(policies, policy, &eval::RunPolicy::id);
  if (found != policies.end()) {
    return static_cast<std::size_t>(found - policies.begin());
  }
  std::string known;
  for (const eval::RunPolicy& of : policies) {
    known += (known.empty() ? "" : ", ") + of.id;
  }
  return Fail(ErrorCode::kInvalidInput,
              policy.empty() ? run.path + " is of several policies"
                             : run.path + " has no policy \"" + policy + "\"",
              "choose one with --policy: " + known);
}

// The policy of one run; where --policy is of the other alone, the only one of this.
Result<std::size_t> PolicyOf(const eval::RecordedRun& run, const std::string& policy) {
  return FindPolicy(run, run.header.policies.size() == 1 ? "" : policy);
}

std::string SystemText(const char* name, const eval::RecordedRun& run, std::size_t policy) {
  const eval::RunPolicy& of = run.header.policies[policy];
  return fmt::format("{}  {}: {} {} ({}), judge {}{}\n", name, Printable(run.path),
                     Printable(of.id), Printable(of.version), of.hash.substr(0, 12),
                     Printable(run.header.judge),
                     run.header.prompting.empty() ? "" : ", " + run.header.prompting + " prompts");
}

std::vector<Cell> DifferenceRow(const char* name, const eval::FigureDifference& figure) {
  return {{name},
          {FigureText(figure.a)},
          {FigureText(figure.b)},
          {figure.difference ? fmt::format("{:+.3f}", *figure.difference) : "-"},
          {figure.interval
               ? fmt::format("{:+.3f} to {:+.3f}", figure.interval->low, figure.interval->high)
               : "-"}};
}

std::string OutcomeTable(const eval::Comparison& c, std::size_t columns) {
  const char* names[] = {"violation", "safe", "undetermined"};
  std::vector<std::vector<Cell>> rows;
  for (std::size_t a = 0; a < c.outcomes.size(); ++a) {
    rows.push_back({{std::string("A ") + names[a]},
                    {std::to_string(c.outcomes[a][0])},
                    {std::to_string(c.outcomes[a][1])},
                    {std::to_string(c.outcomes[a][2])}});
  }
  return RenderTable({{""}, {"B VIOLATION", true}, {"B SAFE", true}, {"B UNDETERMINED", true}},
                     rows, columns, false);
}

std::string Text(const eval::Comparison& c, std::size_t columns) {
  std::string text =
      fmt::format("{} cases judged by both, {} of them labelled", c.pairs, c.labelled);
  if (c.only_in_a + c.only_in_b > 0) {
    text += fmt::format("; {} only by A, {} only by B", c.only_in_a, c.only_in_b);
  }
  text += "\n\nFigures (undetermined is wrong), and B minus A with its 95 % interval\n" +
          RenderTable({{"FIGURE"}, {"A", true}, {"B", true}, {"B - A", true}, {"INTERVAL", true}},
                      {DifferenceRow("accuracy", c.accuracy), DifferenceRow("F1", c.f1),
                       DifferenceRow("ROC-AUC", c.roc_auc)},
                      columns, false);
  text += fmt::format(
      "\nRight in both {}, only in A {}, only in B {}, in neither {}\n"
      "McNemar ({}): p {}\n",
      c.both_right, c.only_a_right, c.only_b_right, c.both_wrong,
      c.test.exact ? "exact" : "chi-square",
      c.test.p ? fmt::format("{:.4f}", *c.test.p) : "- (no case tells them apart)");
  text += fmt::format(
      "\nAgreement beyond chance (Cohen's kappa, where decided): A with B {}, A with the labels "
      "{}, "
      "B with the labels {}\n",
      FigureText(c.agreement), FigureText(c.a_to_labels), FigureText(c.b_to_labels));
  text += OutcomeTable(c, columns) + "\nA: " + CostText(c.cost_a) + "B: " + CostText(c.cost_b);
  for (const std::string& note : c.notes) {
    text += "note: " + note + "\n";
  }
  return text;
}

Json DifferenceJson(const eval::FigureDifference& figure) {
  return {{"a", FigureJson(figure.a)},
          {"b", FigureJson(figure.b)},
          {"difference", FigureJson(figure.difference)},
          {"interval",
           figure.interval ? Json({figure.interval->low, figure.interval->high}) : Json(nullptr)}};
}

Json SystemJson(const eval::RecordedRun& run, std::size_t policy, const eval::MeanCost& cost) {
  const eval::RunPolicy& of = run.header.policies[policy];
  return {{"run", run.path},
          {"policy", of.id},
          {"policy_hash", of.hash},
          {"judge", run.header.judge},
          {"judge_identity", run.header.judge_identity},
          {"cost_per_record", CostJson(cost)}};
}

}  // namespace

ExitCode RunEvalCompare(const EvalCompareArguments& arguments, Console& console) {
  const Result<eval::RecordedRun> a = eval::ReadRun(arguments.run_a);
  if (!a) {
    return Fails(console, a.error(), ExitCode::kUsage);
  }
  const Result<eval::RecordedRun> b = eval::ReadRun(arguments.run_b);
  if (!b) {
    return Fails(console, b.error(), ExitCode::kUsage);
  }
  const Result<std::size_t> policy_a = PolicyOf(*a, arguments.policy);
  const Result<std::size_t> policy_b = PolicyOf(*b, arguments.policy);
  if (!policy_a || !policy_b) {
    return Fails(console, policy_a ? policy_b.error() : policy_a.error(), ExitCode::kUsage);
  }
  const Result<eval::Comparison> compared =
      eval::CompareRuns(*a, *policy_a, *b, *policy_b, {.seed = arguments.seed});
  if (!compared) {
    return Fails(console, compared.error(), ExitCode::kUsage);
  }
  const eval::Comparison& c = *compared;
  if (!arguments.json) {
    console.Out("Data: " + Printable(a->header.dataset_path) + " (" +
                a->header.dataset_hash.substr(0, 12) + ")\n" + SystemText("A", *a, *policy_a) +
                SystemText("B", *b, *policy_b) + Text(c, console.columns()));
    return ExitCode::kSafe;
  }
  console.Out(JsonText({{"dataset_hash", a->header.dataset_hash},
                        {"a", SystemJson(*a, *policy_a, c.cost_a)},
                        {"b", SystemJson(*b, *policy_b, c.cost_b)},
                        {"pairs", c.pairs},
                        {"labelled", c.labelled},
                        {"only_in_a", c.only_in_a},
                        {"only_in_b", c.only_in_b},
                        {"both_right", c.both_right},
                        {"only_a_right", c.only_a_right},
                        {"only_b_right", c.only_b_right},
                        {"both_wrong", c.both_wrong},
                        {"mcnemar", {{"p", FigureJson(c.test.p)}, {"exact", c.test.exact}}},
                        {"accuracy", DifferenceJson(c.accuracy)},
                        {"f1", DifferenceJson(c.f1)},
                        {"roc_auc", DifferenceJson(c.roc_auc)},
                        {"kappa",
                         {{"a_b", FigureJson(c.agreement)},
                          {"a_labels", FigureJson(c.a_to_labels)},
                          {"b_labels", FigureJson(c.b_to_labels)}}},
                        {"outcomes", c.outcomes},
                        {"notes", c.notes}}));
  return ExitCode::kSafe;
}

}  // namespace safeguard::apps
