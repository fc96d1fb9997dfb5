#include <fmt/format.h>

#include <span>
#include <utility>

#include "apps/commands/commands.h"
#include "apps/commands/judging.h"
#include "apps/input/content_input.h"
#include "apps/output/display_text.h"
#include "apps/output/verdict_json.h"
#include "apps/output/verdict_text.h"

namespace safeguard::apps {
namespace {

ExitCode Print(const ClassifyArguments& arguments, const Judging& judging,
               const std::vector<moderation::Verdict>& verdicts, const ContentInput& input,
               Console& console) {
  Tally tally;
  std::string out;
  for (const moderation::Verdict& verdict : verdicts) {
    tally.Count(verdict.outcome);
    if (arguments.json) {
      out += JsonLine(VerdictJson(verdict, input.content.kind)) + "\n";
    }
  }
  if (!arguments.json) {
    const bool color = UseColor(console, arguments.color);
    out = VerdictText(verdicts, console.columns(), color);
    if (arguments.show_reasoning) {
      out += ReasoningText(verdicts, console.columns(), color);
    }
    for (const LoadedPolicy& loaded : judging.policies) {
      // What ships is told by `policy list`; what was found beside a file must be told here.
      if (loaded.golden_origin.find('/') != std::string::npos ||
          loaded.golden_origin.find('.') != std::string::npos) {
        out +=
            fmt::format("{} learned from {} labelled cases in {}.\n", Printable(loaded.policy.id),
                        loaded.golden.size(), Printable(loaded.golden_origin));
      }
    }
  }
  console.Out(out);
  return tally.exit_code();
}

}  // namespace

ExitCode Fails(Console& console, const Error& error, ExitCode code) {
  ReportError(console, error);
  return code;
}

ExitCode RunClassify(const ClassifyArguments& arguments, Services& services, Console& console) {
  const JudgingRequest request{arguments.policies, arguments.golden, arguments.judge};
  const Status usage = CheckUsage(request);
  if (!usage) {
    return Fails(console, usage.error(), ExitCode::kUsage);
  }
  const Result<ContentInput> input = ReadContent(arguments.content, console);
  if (!input) {
    return Fails(console, input.error(), ExitCode::kUsage);
  }
  Result<std::vector<LoadedPolicy>> policies = LoadPolicies(request, services);
  if (!policies) {
    return Fails(console, policies.error(), ExitCode::kCannotRun);
  }
  Result<Calibrations> calibrations =
      FindCalibrations(arguments.calibration, *policies, arguments.judge, services, console);
  if (!calibrations) {
    return Fails(console, calibrations.error(), ExitCode::kCannotRun);
  }
  Result<Judging> judging =
      OpenJudging(std::move(*policies), request, std::move(*calibrations), services);
  if (!judging) {
    return Fails(console, judging.error(), ExitCode::kCannotRun);
  }
  std::vector<moderation::Verdict> verdicts =
      judging->judge->Decide(judging->prepared, std::span(&input->content, 1));
  for (moderation::Verdict& verdict : verdicts) {
    Restore(*input, verdict);
  }
  return Print(arguments, *judging, verdicts, *input, console);
}

}  // namespace safeguard::apps
