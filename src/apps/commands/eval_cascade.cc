// The curve of cost against quality of a cascade, from recorded runs: nothing is judged.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "apps/commands/commands.h"
#include "apps/output/display_text.h"
#include "apps/output/report_files.h"
#include "base/file.h"
#include "eval/cascade_curve.h"
#include "eval/run_file.h"

namespace safeguard::apps {
namespace {

Result<std::size_t> PolicyOf(const eval::RecordedRun& run, const std::string& policy) {
  const std::vector<eval::RunPolicy>& policies = run.header.policies;
  const auto found = std::ranges::find(policies, policy, &eval::RunPolicy::id);
  if (found != policies.end()) {
    return static_cast<std::size_t>(found - policies.begin());
  }
  if (policies.size() == 1 && policy.empty()) {
    return 0;
  }
  return Fail(ErrorCode::kInvalidInput,
              policy.empty() ? run.path + " is of several policies"
                             : run.path + " has no policy \"" + policy + "\"",
              "choose one of the run's with --policy");
}

// What the reasoner's run says of the screen's records, by content.
Result<std::vector<eval::CaseResult>> ReasonerResults(const std::string& path,
                                                      const std::string& policy,
                                                      const eval::RecordedRun& screen) {
  const Result<eval::RecordedRun> run = eval::ReadRun(path);
  if (!run) {
    return std::unexpected(run.error());
  }
  const Result<std::size_t> at = PolicyOf(*run, run->header.policies.size() == 1 ? "" : policy);
  if (!at) {
    return std::unexpected(at.error());
  }
  std::map<std::string, const eval::RunCase*> by_content;
  for (const eval::RunCase& each : run->cases) {
    by_content[each.content_hash] = &each;
  }
  std::vector<eval::CaseResult> results;
  std::size_t known = 0;
  for (const eval::RunCase& each : screen.cases) {
    const auto found = by_content.find(each.content_hash);
    results.push_back(found == by_content.end() ? eval::CaseResult{}
                                                : found->second->judged.results.at(*at));
    known += found == by_content.end() ? 0 : 1;
  }
  if (known == 0) {
    return Fail(ErrorCode::kInvalidInput, path + " has judged none of the screen's records",
                "give a run over the same data");
  }
  return results;
}

std::string ReasonerText(const EvalCascadeArguments& arguments) {
  if (!arguments.reasoner_run.empty()) {
    return "recorded in " + Printable(arguments.reasoner_run);
  }
  return fmt::format("synthetic: recall {:.3g}, specificity {:.3g}, {:.4g} tokens each, seed {}",
                     arguments.curve.reasoner.recall, arguments.curve.reasoner.specificity,
                     arguments.curve.reasoner.tokens, arguments.curve.reasoner.seed);
}

Status Write(const ReportChoice& choice, const eval::CascadeCurve& curve) {
  for (const std::string& file : choice.files) {
    const std::string ending = std::filesystem::path(file).extension().string();
    const Status written = WriteFileAtomically(file, ending == ".json" ? eval::RenderJson(curve)
                                                     : ending == ".md" ? eval::RenderMarkdown(curve)
                                                                       : eval::RenderHtml(curve));
    if (!written) {
      return written;
    }
  }
  return {};
}

}  // namespace

ExitCode RunEvalCascade(const EvalCascadeArguments& arguments, Console& console) {
  if (const Status usable = CheckReports(arguments.reports); !usable) {
    return Fails(console, usable.error(), ExitCode::kUsage);
  }
  const Result<eval::RecordedRun> run = eval::ReadRun(arguments.run);
  if (!run) {
    return Fails(console, run.error(), ExitCode::kUsage);
  }
  const Result<std::size_t> policy = PolicyOf(*run, arguments.policy);
  if (!policy) {
    return Fails(console, policy.error(), ExitCode::kUsage);
  }
  std::vector<eval::CaseResult> reasoner;
  if (!arguments.reasoner_run.empty()) {
    Result<std::vector<eval::CaseResult>> results =
        ReasonerResults(arguments.reasoner_run, arguments.policy, *run);
    if (!results) {
      return Fails(console, results.error(), ExitCode::kUsage);
    }
    reasoner = std::move(*results);
  }
  const eval::RestoredRun restored = eval::Restore(*run, *policy);
  Result<eval::CascadeCurve> curve = eval::DrawCascadeCurve(
      restored.dataset.records, restored.run.results, reasoner, arguments.curve);
  if (!curve) {
    return Fails(console, curve.error(), ExitCode::kUsage);
  }
  curve->dataset = Printable(restored.dataset.name);
  curve->policy = Printable(restored.policy.id + " " + restored.policy.version);
  curve->screen = Printable(run->header.judge + " of " + run->path);
  curve->reasoner = ReasonerText(arguments);
  curve->notes = run->header.notes;
  const Status written = Write(arguments.reports, *curve);
  if (!written) {
    return Fails(console, written.error(), ExitCode::kCannotRun);
  }
  console.Out(arguments.json ? eval::RenderJson(*curve) : eval::RenderText(*curve));
  return ExitCode::kSafe;
}

}  // namespace safeguard::apps
