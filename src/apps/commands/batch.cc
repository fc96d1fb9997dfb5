#include <fmt/format.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <utility>

#include "apps/batch/batch_input.h"
#include "apps/batch/batch_output.h"
#include "apps/batch/run_batch.h"
#include "apps/commands/commands.h"
#include "apps/commands/routed_judging.h"
#include "apps/commands/verdict_recorder.h"
#include "apps/output/verdict_text.h"
#include "apps/receipt/judge_setup.h"
#include "apps/route/open_route.h"
#include "apps/version_info.h"

namespace safeguard::apps {
namespace {

// Whatever decides what the output says; its keys are what a refusal to go on names. Threads and
// batch size are not among them: the verdicts do not depend on them.
nlohmann::json Identity(const BatchArguments& arguments, const std::vector<LoadedPolicy>& policies,
                        const std::string& model_hash, const std::string& calibrations) {
  nlohmann::json list = nlohmann::json::array();
  for (const LoadedPolicy& loaded : policies) {
    // Of a policy that follows the store another version may answer at any moment: that is meant.
    list.push_back(loaded.routed
                       ? nlohmann::json{loaded.policy.id, "as the store says"}
                       : nlohmann::json{loaded.policy.id, loaded.policy.hash, loaded.golden_hash});
  }
  return {{"safeguard version", VersionText()},
          {"model", model_hash},
          {"calibrations", calibrations},
          {"policies", std::move(list)},
          {"input settings", {arguments.format, arguments.text_field, arguments.id_field}},
          {"surface", arguments.surface},
          {"language", arguments.language}};
}

void Summarise(const BatchEnd& end, std::size_t policies, Console& console) {
  const Tally& tally = end.position.tally;
  const double rate = end.seconds > 0 ? static_cast<double>(end.judged_here) / end.seconds : 0;
  console.Error(fmt::format(
      "safeguard: {} records judged under {} {} in {}, {:.0f}/s: {} violation, {} safe, {} "
      "undetermined{}\n",
      end.judged_here, policies, policies == 1 ? "policy" : "policies",
      DurationText(end.seconds * 1000), rate, tally.violations, tally.safe, tally.undetermined,
      tally.total() > end.judged_here * policies ? " with the runs before" : ""));
  if (end.position.unreadable > 0) {
    console.Error(fmt::format("safeguard: {} {} could not be read and {} left out\n",
                              end.position.unreadable,
                              end.position.unreadable == 1 ? "line" : "lines",
                              end.position.unreadable == 1 ? "was" : "were"));
  }
}

// What the judge counted, for who wants to know where the time went.
void PrintCounters(const moderation::Judge& judge, Console& console) {
  std::string line;
  for (const auto& [name, count] : judge.Counters()) {
    line += fmt::format("{}{}={:.6g}", line.empty() ? "" : " ", name, count);
  }
  console.Error(
      "safeguard: " + (line.empty() ? "this judge keeps no counters" : "counters: " + line) + "\n");
}

// What went wrong on the way: the input is the user's to mend, everything else stops the program.
ExitCode CodeOf(const Error& error) {
  return error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kCorruptFile
             ? ExitCode::kCannotRun
             : ExitCode::kUsage;
}

ExitCode Finish(const Result<BatchEnd>& end, const BatchArguments& arguments,
                const BatchOutput& output, std::size_t policies, Console& console) {
  if (!end) {
    if (output.reader_gone()) {
      return ExitCode::kCannotRun;
    }
    return Fails(console, end.error(), CodeOf(end.error()));
  }
  if (end->stopped) {
    console.Error(fmt::format("safeguard: interrupted after {} records; {}\n",
                              end->position.entries,
                              output.resumable() ? "run the same command again to go on"
                                                 : arguments.out + " cannot be gone on with"));
    return ExitCode::kInterrupted;
  }
  Summarise(*end, policies, console);
  return end->position.unreadable > 0 ? ExitCode::kUsage : end->position.tally.exit_code();
}

Status CheckPaths(const BatchArguments& arguments) {
  std::error_code ignored;  // what cannot be compared is not the same
  if (arguments.in != "-" && arguments.out != "-" &&
      std::filesystem::equivalent(arguments.in, arguments.out, ignored)) {
    return Fail(ErrorCode::kInvalidInput, "--in and --out are the same file",
                "choose another --out");
  }
  if (std::filesystem::is_directory(arguments.out, ignored)) {
    return Fail(ErrorCode::kInvalidInput, arguments.out + " is a directory", "name a file in it");
  }
  return {};
}

// What decides the output, and how the judge is opened once the output may be written.
struct Sources {
  nlohmann::json identity;
  std::function<Result<Judging>()> open;
  std::function<Result<bool>()> reload_lists{};  // of a route
};

Result<Sources> PlainSources(const BatchArguments& arguments, const JudgingRequest& request,
                             Services& services, Console& console) {
  Result<std::vector<LoadedPolicy>> policies = LoadPolicies(request, services);
  if (!policies) {
    return std::unexpected(policies.error());
  }
  const Result<std::string> identity = services.JudgeIdentity(arguments.judge);
  if (!identity) {
    return std::unexpected(identity.error());
  }
  Result<Calibrations> calibrations = FindCalibrations(
      arguments.calibration, *policies, arguments.data_dir, arguments.judge, services, console);
  if (!calibrations) {
    return std::unexpected(calibrations.error());
  }
  Sources sources;
  sources.identity = Identity(arguments, *policies, *identity, IdentityOf(*calibrations));
  sources.open = [request, &services, policies = std::move(*policies),
                  calibrations = std::move(*calibrations)]() mutable {
    return OpenJudging(std::move(policies), request, std::move(calibrations), services);
  };
  return sources;
}

Result<Sources> RouteSources(const BatchArguments& arguments, Services& services,
                             Console& console) {
  const RouteRequest request{.path = arguments.route,
                             .data_dir = arguments.data_dir,
                             .calibration = arguments.calibration,
                             .threads = arguments.judge.threads,
                             .bulk = true,
                             .keep_content = arguments.record.keep_content};
  Result<LoadedRoute> loaded = LoadRoute(request, services);
  if (!loaded) {
    return std::unexpected(loaded.error());
  }
  Result<OpenedRoute> opened = OpenRoute(std::move(*loaded), request, services, console);
  if (!opened) {
    return std::unexpected(opened.error());
  }
  Sources sources;
  sources.identity =
      Identity(arguments, opened->judging.policies, opened->identity, opened->calibrations);
  sources.reload_lists = opened->reload_lists;
  auto judging = std::make_shared<Judging>(std::move(opened->judging));
  sources.open = [judging]() -> Result<Judging> { return std::move(*judging); };
  return sources;
}

}  // namespace

ExitCode RunBatch(const BatchArguments& arguments, Services& services, Console& console,
                  const std::atomic<bool>& stop) {
  const JudgingRequest request{arguments.policies, arguments.golden, arguments.judge,
                               arguments.data_dir};
  for (const Status& usage : {CheckUsage(request), CheckPaths(arguments)}) {
    if (!usage) {
      return Fails(console, usage.error(), ExitCode::kUsage);
    }
  }
  const BatchInputOptions input_options{arguments.in, arguments.format, arguments.text_field,
                                        arguments.id_field};
  const Result<std::unique_ptr<BatchInput>> input = BatchInput::Open(input_options);
  if (!input) {
    return Fails(console, input.error(), ExitCode::kUsage);
  }
  Result<Sources> sources = arguments.route.empty()
                                ? PlainSources(arguments, request, services, console)
                                : RouteSources(arguments, services, console);
  if (!sources) {
    return Fails(console, sources.error(), ExitCode::kCannotRun);
  }
  const Result<std::unique_ptr<BatchOutput>> output =
      BatchOutput::Open({arguments.out, sources->identity, arguments.restart});
  if (!output) {
    return Fails(console, output.error(), CodeOf(output.error()));
  }
  const Result<std::unique_ptr<VerdictRecorder>> recorder =
      VerdictRecorder::Open(arguments.record, arguments.data_dir);
  if (!recorder) {
    return Fails(console, recorder.error(), StoreExitCode(recorder.error()));
  }
  if (*recorder != nullptr) {
    (*recorder)->TellSetup(SetupFor(arguments.route, arguments.judge, services));
  }
  Result<Judging> judging = sources->open();
  if (!judging) {
    return Fails(console, judging.error(), ExitCode::kCannotRun);
  }
  const Result<std::unique_ptr<RoutedJudging>> routed =
      RoutedJudging::Open(std::move(*judging), request);
  if (!routed) {
    return Fails(console, routed.error(), ExitCode::kCannotRun);
  }
  const Checkpoint& start = (*output)->start();
  if (start.entries > 0) {
    console.Error(fmt::format("safeguard: going on after {} records\n", start.entries));
  }
  ListWatch lists(sources->reload_lists, console);
  BatchJob job{**input,
               **output,
               **routed,
               recorder->get(),
               arguments.batch_size,
               arguments.surface,
               arguments.language,
               console,
               stop};
  job.before_batch = [&lists] { lists.Look(); };
  const Result<BatchEnd> end = RunBatchJob(job);
  if (arguments.stats) {
    PrintCounters((*routed)->judge(), console);
  }
  if (const std::size_t put_off = PutOffBy((*routed)->judge()); put_off > 0) {
    console.Error("safeguard: " + PutOffText(put_off));
  }
  return Finish(end, arguments, **output, (*routed)->policies().size(), console);
}

}  // namespace safeguard::apps
