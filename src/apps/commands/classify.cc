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
#include "apps/receipt/judge_setup.h"
#include "apps/route/open_route.h"
#include "eval/policy_mutation.h"

namespace safeguard::apps {
namespace {

using Ablations = std::vector<std::vector<eval::RuleAblation>>;  // of each verdict

// Nothing where it was not asked for.
Result<Ablations> Ablate(const ClassifyArguments& arguments, RoutedJudging& judging,
                         const std::vector<moderation::Verdict>& verdicts,
                         const moderation::Content& content) {
  Ablations ablations(verdicts.size());
  for (std::size_t v = 0; arguments.ablation && v < verdicts.size(); ++v) {
    const LoadedPolicy& loaded = judging.policies()[v];
    if (verdicts[v].policy.version != loaded.policy.version) {
      return Fail(ErrorCode::kInvalidInput,
                  "version " + verdicts[v].policy.version + " of " + loaded.policy.id +
                      ", the canary, judged this content",
                  "name the version to ask about its citations: " + loaded.policy.id + "@" +
                      verdicts[v].policy.version);
    }
    Result<std::vector<eval::RuleAblation>> result =
        eval::AblateVerdict(judging.judge(), loaded.bytes, loaded.policy, loaded.golden, content,
                            verdicts[v], eval::kMovedLeast);
    if (!result) {
      return std::unexpected(result.error());
    }
    ablations[v] = std::move(*result);
  }
  return ablations;
}

nlohmann::ordered_json AblationJson(const std::vector<eval::RuleAblation>& ablations) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const eval::RuleAblation& ablation : ablations) {
    nlohmann::ordered_json item = {{"rule", ablation.rule}, {"faithful", nullptr}};
    if (ablation.problem.empty()) {
      item["faithful"] = ablation.faithful;
      item["outcome_without"] = moderation::ToString(ablation.after);
      item["score_without"] = ablation.score_after ? nlohmann::ordered_json(*ablation.score_after)
                                                   : nlohmann::ordered_json(nullptr);
      item["cited_without"] = ablation.rules_after;
    } else {
      item["problem"] = ablation.problem;
    }
    list.push_back(std::move(item));
  }
  return list;
}

std::string AblationLines(const LoadedPolicy& loaded,
                          const std::vector<eval::RuleAblation>& ablations, std::size_t width) {
  std::string out;
  for (const eval::RuleAblation& ablation : ablations) {
    const auto shown = [](moderation::Outcome outcome, const std::optional<double>& score) {
      return moderation::ToString(outcome) + (score ? fmt::format(" {:.2f}", *score) : "");
    };
    std::string line =
        fmt::format("{} without {}: ", Printable(loaded.policy.id), Printable(ablation.rule));
    if (!ablation.problem.empty()) {
      line += Printable(ablation.problem);
    } else {
      line += fmt::format("{} instead of {}. ", shown(ablation.after, ablation.score_after),
                          shown(ablation.before, ablation.score_before));
      line += ablation.faithful
                  ? "The citation is faithful: the verdict rests on this rule."
                  : "The citation is unfaithful: the verdict stands without this rule.";
    }
    out += Wrap(line, width, 0);
  }
  return out;
}

ExitCode Print(const ClassifyArguments& arguments, const std::vector<LoadedPolicy>& policies,
               const Judged& judged, const Ablations& ablations, const ContentInput& input,
               Console& console) {
  Tally tally;
  std::string out;
  const std::vector<moderation::Verdict>& verdicts = judged.verdicts;
  for (std::size_t v = 0; v < verdicts.size(); ++v) {
    tally.Count(verdicts[v].outcome);
    if (arguments.json) {
      nlohmann::ordered_json line =
          RoutedVerdictJson(verdicts[v], judged.channels[v], input.content.kind);
      if (arguments.ablation) {
        line["ablation"] = AblationJson(ablations[v]);
      }
      out += JsonLine(line) + "\n";
    }
  }
  if (!arguments.json) {
    const bool color = UseColor(console, arguments.color);
    out = VerdictText(verdicts, console.columns(), color);
    if (arguments.show_reasoning) {
      out += ReasoningText(verdicts, console.columns(), color);
    }
    for (std::size_t v = 0; v < verdicts.size(); ++v) {
      out += AblationLines(policies[v], ablations[v], console.columns());
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

// The judge that was asked for, or the route's cascade.
Result<Judging> OpenFor(const ClassifyArguments& arguments, const JudgingRequest& request,
                        Services& services, Console& console) {
  if (!arguments.route.empty()) {
    const RouteRequest route{.path = arguments.route,
                             .data_dir = arguments.data_dir,
                             .calibration = arguments.calibration,
                             .threads = arguments.judge.threads,
                             .keep_content = arguments.record.keep_content};
    Result<LoadedRoute> loaded = LoadRoute(route, services);
    if (!loaded) {
      return std::unexpected(loaded.error());
    }
    Result<OpenedRoute> opened = OpenRoute(std::move(*loaded), route, services, console);
    if (!opened) {
      return std::unexpected(opened.error());
    }
    return std::move(opened->judging);
  }
  Result<std::vector<LoadedPolicy>> policies = LoadPolicies(request, services);
  if (!policies) {
    return std::unexpected(policies.error());
  }
  Result<Calibrations> calibrations = FindCalibrations(
      arguments.calibration, *policies, arguments.data_dir, arguments.judge, services, console);
  if (!calibrations) {
    return std::unexpected(calibrations.error());
  }
  return OpenJudging(std::move(*policies), request, std::move(*calibrations), services);
}

}  // namespace

ExitCode Fails(Console& console, const Error& error, ExitCode code) {
  ReportError(console, error);
  return code;
}

ExitCode RunClassify(const ClassifyArguments& arguments, Services& services, Console& console) {
  const JudgingRequest request{arguments.policies, arguments.golden, arguments.judge,
                               arguments.data_dir};
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
  Result<Judging> judging = OpenFor(arguments, request, services, console);
  if (!judging) {
    return Fails(console, judging.error(), ExitCode::kCannotRun);
  }
  if (*recorder != nullptr) {
    (*recorder)->TellSetup(SetupFor(arguments.route, arguments.judge, services));
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
  const Result<Ablations> ablations = Ablate(arguments, **routed, judged->verdicts, input->content);
  if (!ablations) {
    return Fails(console, ablations.error(), ExitCode::kCannotRun);
  }
  for (moderation::Verdict& verdict : judged->verdicts) {
    Restore(*input, verdict);
  }
  const ExitCode code =
      Print(arguments, (*routed)->policies(), *judged, *ablations, *input, console);
  if (const std::size_t put_off = PutOffBy((*routed)->judge()); put_off > 0 && !arguments.json) {
    console.Out(PutOffText(put_off));
  }
  const Status recorded = *recorder ? (*recorder)->Record(contents, *judged) : Status{};
  return recorded ? code : Fails(console, recorded.error(), ExitCode::kCannotRun);
}

}  // namespace safeguard::apps
