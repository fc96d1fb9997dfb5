#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>
#include <utility>

#include "apps/batch/backtest_job.h"
#include "apps/batch/backtest_summary.h"
#include "apps/batch/batch_input.h"
#include "apps/batch/batch_output.h"
#include "apps/batch/run_batch.h"
#include "apps/command_line/policy_arguments.h"
#include "apps/commands/commands.h"
#include "apps/commands/routed_judging.h"
#include "apps/input/earlier_verdicts.h"
#include "apps/input/log_history.h"
#include "apps/output/display_text.h"
#include "apps/output/verdict_json.h"
#include "apps/output/verdict_text.h"
#include "apps/version_info.h"
#include "base/file.h"
#include "base/hash.h"

namespace safeguard::apps {
namespace {

std::int64_t NowSeconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

ExitCode CodeOf(const Error& error) {
  return error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kCorruptFile
             ? ExitCode::kCannotRun
             : ExitCode::kUsage;
}

// Everything that a backtest needs but its judge, which is opened where the job runs.
struct Prepared {
  std::vector<LoadedPolicy> policies;  // one
  std::unique_ptr<BatchInput> input;
  std::unique_ptr<BatchOutput> output;
  std::optional<EarlierVerdicts> then;
};

Status CheckArguments(const BacktestArguments& arguments) {
  if (arguments.policy.empty() || arguments.over.empty() || arguments.out.empty()) {
    return Fail(
        ErrorCode::kInvalidInput, "a backtest needs a policy, --over FILE and --out FILE",
        "as in: safeguard backtest my_policy.md --over comments.jsonl --out backtest.jsonl");
  }
  if (arguments.out == "-" || arguments.over == "-") {
    return Fail(ErrorCode::kInvalidInput, "a backtest reads and writes files, to be resumable",
                "use `safeguard batch` for pipes");
  }
  std::error_code ignored;  // what cannot be compared is not the same
  for (const std::string& input : {arguments.over, arguments.then}) {
    if (!input.empty() && std::filesystem::equivalent(input, arguments.out, ignored)) {
      return Fail(ErrorCode::kInvalidInput, "--out is the same file as " + input,
                  "choose another --out");
    }
  }
  if (std::filesystem::is_directory(arguments.out, ignored)) {
    return Fail(ErrorCode::kInvalidInput, arguments.out + " is a directory", "name a file in it");
  }
  return CheckJudge(arguments.judge);
}

Result<std::string> ThenHash(const std::string& path) {
  if (path.empty()) {
    return std::string();
  }
  const auto file = MappedFile::Open(path);
  return file ? Result<std::string>(Sha256Hex((*file)->bytes())) : std::unexpected(file.error());
}

// The rate and the batch size are not part of it: they change no verdict.
nlohmann::json Identity(const BacktestArguments& arguments, const LoadedPolicy& loaded,
                        const std::string& judge, const std::string& then) {
  return {{"safeguard version", VersionText()},
          {"kind", "backtest"},
          {"model", judge},
          {"policy", {loaded.policy.id, loaded.policy.hash, loaded.golden_hash}},
          {"input settings", {arguments.format, arguments.text_field, arguments.id_field}},
          {"--then", then}};
}

class Preparation {
 public:
  Preparation(const BacktestArguments& arguments, Services& services)
      : arguments_(arguments), services_(services) {}

  // On failure `code` says how the command ends.
  Result<Prepared> Run(ExitCode& code) {
    Prepared prepared;
    code = ExitCode::kUsage;
    Result<std::unique_ptr<BatchInput>> input = BatchInput::Open(
        {arguments_.over, arguments_.format, arguments_.text_field, arguments_.id_field});
    if (!input) {
      return std::unexpected(input.error());
    }
    prepared.input = std::move(*input);
    code = ExitCode::kCannotRun;
    Result<std::vector<LoadedPolicy>> policies =
        LoadPolicies({{arguments_.policy}, arguments_.golden, arguments_.judge}, services_);
    if (!policies) {
      return std::unexpected(policies.error());
    }
    prepared.policies = std::move(*policies);
    const LoadedPolicy& loaded = prepared.policies.front();
    const Result<std::string> judge = services_.JudgeIdentity(arguments_.judge);
    if (!judge) {
      return std::unexpected(judge.error());
    }
    code = ExitCode::kUsage;
    const Result<std::string> then_hash = ThenHash(arguments_.then);
    if (!then_hash) {
      return std::unexpected(then_hash.error());
    }
    if (!arguments_.then.empty()) {
      Result<EarlierVerdicts> then = EarlierVerdicts::Read(arguments_.then, loaded.policy.id);
      if (!then) {
        return std::unexpected(then.error());
      }
      prepared.then = std::move(*then);
    }
    Result<std::unique_ptr<BatchOutput>> output = BatchOutput::Open(
        {arguments_.out, Identity(arguments_, loaded, *judge, *then_hash), arguments_.restart});
    if (!output) {
      code = CodeOf(output.error());
      return std::unexpected(output.error());
    }
    prepared.output = std::move(*output);
    return prepared;
  }

 private:
  const BacktestArguments& arguments_;
  Services& services_;
};

Status Announce(const BacktestArguments& arguments, const Prepared& prepared) {
  std::error_code ignored;  // usually there is none to remove
  std::filesystem::remove(StopPath(arguments.out), ignored);
  const moderation::Policy& policy = prepared.policies.front().policy;
  return WriteJobCard(arguments.out, {.policy = policy.id,
                                      .policy_version = policy.version,
                                      .policy_hash = policy.hash,
                                      .over = arguments.over,
                                      .rate = arguments.rate,
                                      .records_about = CountLines(arguments.over),
                                      .started = NowSeconds(),
                                      .started_at = prepared.output->start().entries});
}

void AddThen(const EarlierVerdicts& then, const eval::Record& record,
             nlohmann::ordered_json& line) {
  if (const EarlierVerdict* verdict = then.Find(record)) {
    line["then"] = {{"outcome", moderation::ToString(verdict->outcome)},
                    {"score", nullptr},
                    {"rule_ids", verdict->rule_ids}};
    if (verdict->score) {
      line["then"]["score"] = *verdict->score;
    }
  }
}

ExitCode Finish(const BacktestArguments& arguments, const BatchEnd& end, Console& console) {
  if (end.stopped) {
    console.Error(
        fmt::format("safeguard: stopped after {} records; run the same command again to "
                    "go on\n",
                    end.position.entries));
    return ExitCode::kInterrupted;
  }
  const Result<BacktestSummary> summary = SummariseBacktest(arguments.out);
  if (!summary) {
    return Fails(console, summary.error(), ExitCode::kCannotRun);
  }
  console.Out(arguments.json ? JsonText(BacktestJson(*summary))
                             : BacktestText(*summary, console.columns(), false));
  if (end.position.unreadable > 0) {
    console.Error(fmt::format("safeguard: {} lines could not be read and were left out\n",
                              end.position.unreadable));
    return ExitCode::kUsage;
  }
  return ExitCode::kSafe;
}

ExitCode RunJob(const BacktestArguments& arguments, Prepared& prepared, Services& services,
                Console& console, const std::atomic<bool>& stop) {
  Result<Judging> judging =
      OpenJudging(std::move(prepared.policies),
                  {{arguments.policy}, arguments.golden, arguments.judge}, services);
  if (!judging) {
    return Fails(console, judging.error(), ExitCode::kCannotRun);
  }
  if (arguments.judge.judge == "screen") {
    const LoadedPolicy& loaded = judging->policies.front();
    console.Error(loaded.golden.empty()
                      ? fmt::format("safeguard: {} has no golden set: the screen learned from its "
                                    "text alone (--golden FILE gives it one)\n",
                                    Printable(loaded.origin))
                      : fmt::format("safeguard: the screen learned from {} labelled cases: {}\n",
                                    loaded.golden.size(), Printable(loaded.golden_origin)));
  }
  if (prepared.output->start().entries > 0) {
    console.Error(
        fmt::format("safeguard: going on after {} records\n", prepared.output->start().entries));
  }
  for (LoadedPolicy& loaded : judging->policies) {
    loaded.routed = false;  // it stays with the version that it began with
  }
  const Result<std::unique_ptr<RoutedJudging>> routed =
      RoutedJudging::Open(std::move(*judging), {});
  if (!routed) {
    return Fails(console, routed.error(), ExitCode::kCannotRun);
  }
  BatchJob job{*prepared.input,
               *prepared.output,
               **routed,
               nullptr,
               arguments.batch_size,
               "",
               "",
               console,
               stop};
  job.rate = arguments.rate;
  job.asked_to_stop = [path = StopPath(arguments.out)] {
    return ::access(path.c_str(), F_OK) == 0;
  };
  if (prepared.then) {
    job.annotate = [&prepared](const eval::Record& record, std::size_t,
                               nlohmann::ordered_json& line) {
      AddThen(*prepared.then, record, line);
    };
  }
  const Result<BatchEnd> end = RunBatchJob(job);
  if (!end) {
    return Fails(console, end.error(), CodeOf(end.error()));
  }
  return Finish(arguments, *end, console);
}

// --over log: the log goes on growing, so what is judged is copied beside OUT once and stays the
// same however often the job is stopped.
Result<BacktestArguments> OverLog(const BacktestArguments& arguments, Services& services) {
  BacktestArguments over = arguments;
  if (arguments.over != kOverLog) {
    return over;
  }
  over.over = arguments.out + ".history.jsonl";
  if (over.then.empty()) {
    over.then = over.over;
  }
  std::error_code ignored;  // what cannot be looked at is written
  if (std::filesystem::exists(over.over, ignored) && !arguments.restart) {
    return over;
  }
  const Result<std::vector<LoadedPolicy>> policies =
      LoadPolicies({{arguments.policy}, arguments.golden, arguments.judge}, services);
  if (!policies) {
    return std::unexpected(policies.error());
  }
  const Result<std::size_t> written = WriteLogHistory(policies->front().policy.id, over.over);
  return written ? Result<BacktestArguments>(std::move(over)) : std::unexpected(written.error());
}

}  // namespace

ExitCode RunBacktest(const BacktestArguments& given, Services& services, Console& console,
                     const std::atomic<bool>& stop) {
  if (const Status usage = CheckArguments(given); !usage) {
    return Fails(console, usage.error(), ExitCode::kUsage);
  }
  const Result<BacktestArguments> over = OverLog(given, services);
  if (!over) {
    return Fails(console, over.error(), ExitCode::kUsage);
  }
  const BacktestArguments& arguments = *over;
  ExitCode code = ExitCode::kUsage;
  Result<Prepared> prepared = Preparation(arguments, services).Run(code);
  if (!prepared) {
    return Fails(console, prepared.error(), code);
  }
  if (const Status announced = Announce(arguments, *prepared); !announced) {
    return Fails(console, announced.error(), ExitCode::kCannotRun);
  }
  if (arguments.detach) {
    const Result<bool> background = GoOnInBackground(LogPath(arguments.out));
    if (!background) {
      return Fails(console, background.error(), ExitCode::kCannotRun);
    }
    if (!*background) {
      console.Out(
          fmt::format("The backtest runs in the background. How far it is:\n"
                      "  safeguard backtest status {0}\nWhat it says: {1}\n",
                      Printable(arguments.out), Printable(LogPath(arguments.out))));
      return ExitCode::kSafe;
    }
  }
  return RunJob(arguments, *prepared, services, console, stop);
}

ExitCode RunBacktestStatus(const BacktestStatusArguments& arguments, Console& console) {
  const Result<BatchState> state = PeekBatch(arguments.out);
  if (!state) {
    return Fails(console, state.error(), ExitCode::kCannotRun);
  }
  const Result<JobCard> card = ReadJobCard(arguments.out);
  if (!card) {
    return Fails(console, card.error(), ExitCode::kCannotRun);
  }
  const Checkpoint& last = state->last;
  const char* what = state->running ? "running" : last.complete ? "complete" : "stopped";
  const std::int64_t seconds = std::max<std::int64_t>(1, NowSeconds() - card->started);
  const double rate = static_cast<double>(last.entries - std::min(last.entries, card->started_at)) /
                      static_cast<double>(seconds);
  if (arguments.json) {
    console.Out(JsonText({{"state", what},
                          {"policy", card->policy},
                          {"policy_version", card->policy_version},
                          {"policy_hash", card->policy_hash},
                          {"over", card->over},
                          {"records", last.entries},
                          {"records_about", card->records_about},
                          {"unreadable", last.unreadable},
                          {"violations", last.tally.violations},
                          {"safe", last.tally.safe},
                          {"undetermined", last.tally.undetermined}}));
    return ExitCode::kSafe;
  }
  std::string text = fmt::format("{}: {}\n  {} {} over {}\n  {} records", Printable(arguments.out),
                                 what, Printable(card->policy), Printable(card->policy_version),
                                 Printable(card->over), last.entries);
  if (card->records_about > 0) {
    text += fmt::format(" of about {}", card->records_about);
  }
  if (state->running && rate > 0) {
    text +=
        fmt::format(", {:.1f}/s since {}", rate, DurationText(static_cast<double>(seconds) * 1000));
    if (card->records_about > last.entries) {
      text += fmt::format(
          ", about {} left",
          DurationText(static_cast<double>(card->records_about - last.entries) / rate * 1000));
    }
  }
  console.Out(text + fmt::format("\n  {} violation, {} safe, {} undetermined, {} unreadable\n",
                                 last.tally.violations, last.tally.safe, last.tally.undetermined,
                                 last.unreadable));
  return ExitCode::kSafe;
}

ExitCode RunBacktestStop(const BacktestStopArguments& arguments, Console& console) {
  constexpr std::chrono::milliseconds kLook{50};
  constexpr int kLooks = 20 * 60;  // a batch of the reasoner takes its time
  Result<BatchState> state = PeekBatch(arguments.out);
  if (!state) {
    return Fails(console, state.error(), ExitCode::kCannotRun);
  }
  if (!state->running) {
    console.Out(arguments.out + " is not running\n");
    return ExitCode::kSafe;
  }
  if (const Status asked = WriteFileAtomically(StopPath(arguments.out), ""); !asked) {
    return Fails(console, asked.error(), ExitCode::kCannotRun);
  }
  for (int look = 0; look < kLooks && state && state->running; ++look) {
    std::this_thread::sleep_for(kLook);
    state = PeekBatch(arguments.out);
  }
  if (!state || state->running) {
    return Fails(console,
                 {ErrorCode::kUnavailable, arguments.out + " has not stopped yet",
                  "it stops after the batch that it is judging"},
                 ExitCode::kCannotRun);
  }
  std::error_code ignored;  // gone is gone
  std::filesystem::remove(StopPath(arguments.out), ignored);
  console.Out(fmt::format("stopped after {} records; the same backtest again goes on\n",
                          state->last.entries));
  return ExitCode::kSafe;
}

}  // namespace safeguard::apps
