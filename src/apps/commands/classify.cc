#include <fmt/format.h>

#include <span>
#include <utility>

#include "apps/commands/commands.h"
#include "apps/commands/routed_judging.h"
#include "apps/commands/verdict_recorder.h"
#include "apps/input/content_input.h"
#include "apps/output/display_text.h"
#include "apps/output/verdict_json.h"
#include "apps/output/verdict_text.h"

namespace safeguard::apps {
namespace {

ExitCode Print(const ClassifyArguments& arguments, const std::vector<LoadedPolicy>& policies,
               const Judged& judged, const ContentInput& input, Console& console) {
  Tally tally;
  std::string out;
  const std::vector<moderation::Verdict>& verdicts = judged.verdicts;
  for (std::size_t v = 0; v < verdicts.size(); ++v) {
    tally.Count(verdicts[v].outcome);
    if (arguments.json) {
      out +=
          JsonLine(RoutedVerdictJson(verdicts[v], judged.channels[v], input.content.kind)) + "\n";
    }
  }
  if (!arguments.json) {
    const bool color = UseColor(console, arguments.color);
    out = VerdictText(verdicts, console.columns(), color);
    if (arguments.show_reasoning) {
      out += ReasoningText(verdicts, console.columns(), color);
    }
    for (std::size_t p = 0; p < policies.size(); ++p) {
      const LoadedPolicy& loaded = policies[p];
      if (loaded.stored) {
        out +=
            fmt::format("{}: version {}{} of the store.\n", Printable(loaded.policy.id),
                        verdicts[p].policy.version,
                        judged.channels[p] == moderation::Channel::kCanary ? ", the canary," : "");
        continue;
      }
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
  const JudgingRequest request{arguments.policies, arguments.golden, arguments.data_dir,
                               arguments.judge};
  const Status usage = CheckUsage(request);
  if (!usage) {
    return Fails(console, usage.error(), ExitCode::kUsage);
  }
  const Result<ContentInput> input = ReadContent(arguments.content, console);
  if (!input) {
    return Fails(console, input.error(), ExitCode::kUsage);
  }
  const Result<std::unique_ptr<VerdictRecorder>> recorder =
      VerdictRecorder::Open(arguments.record, arguments.data_dir);
  if (!recorder) {
    return Fails(console, recorder.error(), StoreExitCode(recorder.error()));
  }
  Result<std::vector<LoadedPolicy>> policies = LoadPolicies(request, services);
  if (!policies) {
    return Fails(console, policies.error(), ExitCode::kCannotRun);
  }
  Result<Calibrations> calibrations = FindCalibrations(
      arguments.calibration, *policies, arguments.data_dir, arguments.judge, services, console);
  if (!calibrations) {
    return Fails(console, calibrations.error(), ExitCode::kCannotRun);
  }
  Result<Judging> judging =
      OpenJudging(std::move(*policies), request, std::move(*calibrations), services);
  if (!judging) {
    return Fails(console, judging.error(), ExitCode::kCannotRun);
  }
  const Result<std::unique_ptr<RoutedJudging>> routed =
      RoutedJudging::Open(std::move(*judging), request);
  if (!routed) {
    return Fails(console, routed.error(), ExitCode::kCannotRun);
  }
  const std::span contents(&input->content, 1);
  const std::vector<std::string> keys =
      arguments.account.empty() ? KeysOf(contents) : std::vector{arguments.account};
  Result<Judged> judged = (*routed)->Decide(contents, keys, *recorder != nullptr);
  if (!judged) {
    return Fails(console, judged.error(), ExitCode::kCannotRun);
  }
  for (moderation::Verdict& verdict : judged->verdicts) {
    Restore(*input, verdict);
  }
  const ExitCode code = Print(arguments, (*routed)->policies(), *judged, *input, console);
  const Status recorded = *recorder ? (*recorder)->Record(contents, *judged) : Status{};
  return recorded ? code : Fails(console, recorded.error(), ExitCode::kCannotRun);
}

}  // namespace safeguard::apps
