#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "apps/batch/progress_line.h"
#include "apps/command_line/policy_arguments.h"
#include "apps/commands/commands.h"
#include "apps/commands/judging.h"
#include "apps/input/earlier_verdicts.h"
#include "apps/input/log_history.h"
#include "apps/output/display_text.h"
#include "apps/output/policy_diff_text.h"
#include "apps/output/verdict_json.h"
#include "apps/output/verdict_text.h"
#include "eval/benchmark_sets.h"
#include "eval/blast_radius.h"

namespace safeguard::apps {
namespace {

// How many contents are judged to measure the cost; the reasoner needs seconds for each.
constexpr std::size_t kPilotScreen = 64;
constexpr std::size_t kPilotReasoner = 2;
// What is judged whole without being asked to, and the share and least number of a sample else.
constexpr double kWholeSecondsMax = 120;
constexpr std::size_t kSampleShare = 10;
constexpr std::size_t kSampleLeast = 500;

struct Comparison {
  LoadedPolicy before;
  LoadedPolicy after;
  eval::Dataset contents;
  std::vector<std::optional<double>> scores;
  Judging judging;  // prepared[0] is of `before`
};

struct Cost {
  std::size_t pilot = 0;
  double seconds_each = 0;  // under both versions
  double tokens_each = 0;
};

Result<std::vector<LoadedPolicy>> LoadBoth(const PolicyDiffArguments& arguments, Services& services,
                                           std::vector<std::string>& notes) {
  const PolicyCatalog catalog(services.shipped_policies());
  std::vector<LoadedPolicy> both;
  for (const std::string& name : {arguments.before, arguments.after}) {
    Result<LoadedPolicy> loaded = catalog.Load(
        name, arguments.golden, arguments.over.empty() ? Golden::kIgnore : Golden::kRead);
    if (!loaded) {
      return std::unexpected(loaded.error());
    }
    both.push_back(std::move(*loaded));
  }
  if (arguments.over.empty() || arguments.judge.judge != "screen") {
    return both;
  }
  // A golden set on one side only would make every difference one of training.
  for (const std::size_t side : {0U, 1U}) {
    LoadedPolicy& one = both[side];
    const LoadedPolicy& other = both[1 - side];
    if (one.golden.empty() && !other.golden.empty()) {
      one.golden = other.golden;
      one.golden_hash = other.golden_hash;
      notes.push_back(
          fmt::format("The screen learned the same {} golden cases ({}) for both: {} "
                      "has none of its own.",
                      other.golden.size(), other.golden_origin, one.origin));
    }
  }
  if (both[0].golden_hash != both[1].golden_hash) {
    notes.emplace_back(
        "The two versions have different golden sets, and the screen learned each with its own; "
        "--golden FILE gives both the same.");
  } else if (notes.empty()) {
    notes.push_back(both[0].golden.empty()
                        ? std::string("The screen learned from the policies' texts alone.")
                        : fmt::format("The screen learned the same {} golden cases for both.",
                                      both[0].golden.size()));
  }
  return both;
}

Status LoadContents(const PolicyDiffArguments& arguments, Console& console,
                    Comparison& comparison) {
  eval::ReadOptions options;
  options.format = arguments.format == "csv"     ? eval::DataFormat::kCsv
                   : arguments.format == "jsonl" ? eval::DataFormat::kJsonl
                                                 : eval::DataFormat::kAuto;
  options.mapping.text = arguments.text_field;
  options.mapping.id = arguments.id_field;
  options.mapping.read_labels = false;
  Result<eval::Dataset> data = eval::LoadDataset("generic", arguments.over, options);
  if (!data) {
    return std::unexpected(data.error());
  }
  for (const Error& error : data->errors) {
    console.Error("safeguard: " + Printable(arguments.over + ": " + Describe(error)) + "\n");
  }
  comparison.contents = std::move(*data);
  if (arguments.scores.empty()) {
    return {};
  }
  const Result<EarlierVerdicts> earlier =
      EarlierVerdicts::Read(arguments.scores, comparison.before.policy.id);
  if (!earlier) {
    return std::unexpected(earlier.error());
  }
  for (const eval::Record& record : comparison.contents.records) {
    const EarlierVerdict* verdict = earlier->Find(record);
    comparison.scores.push_back(verdict == nullptr ? std::nullopt : verdict->score);
  }
  return {};
}

// Judges a few contents from all over the file.
Cost MeasureCost(const Comparison& comparison, bool screen) {
  const std::vector<eval::Record>& all = comparison.contents.records;
  Cost cost;
  cost.pilot = std::min(screen ? kPilotScreen : kPilotReasoner, all.size());
  std::vector<eval::Record> pilot;
  for (std::size_t i = 0; i < cost.pilot; ++i) {
    pilot.push_back(all[i * all.size() / cost.pilot]);
  }
  const std::vector<eval::EvaluationRun> runs =
      eval::RunPolicies(*comparison.judging.judge, comparison.judging.prepared, pilot, {});
  cost.seconds_each = runs.front().seconds / static_cast<double>(cost.pilot);
  for (const eval::EvaluationRun& run : runs) {
    for (const eval::CaseResult& result : run.results) {
      const moderation::TokenUsage& tokens = result.verdict.tokens;
      cost.tokens_each += static_cast<double>(tokens.prompt + tokens.reasoning + tokens.answer) /
                          static_cast<double>(cost.pilot);
    }
  }
  return cost;
}

std::size_t SampleSize(const PolicyDiffArguments& arguments, const Cost& cost, std::size_t size) {
  if (arguments.all) {
    return size;
  }
  if (arguments.sample > 0) {
    return std::min(arguments.sample, size);
  }
  const double whole = cost.seconds_each * static_cast<double>(size);
  if (arguments.budget_s > 0) {
    return whole <= arguments.budget_s
               ? size
               : std::max<std::size_t>(
                     1, static_cast<std::size_t>(arguments.budget_s / cost.seconds_each));
  }
  return whole <= kWholeSecondsMax ? size
                                   : std::min(size, std::max(size / kSampleShare, kSampleLeast));
}

void TellCost(const Cost& cost, std::size_t sample, std::size_t size, Console& console) {
  const auto text = [&cost](std::size_t contents) {
    std::string out = DurationText(cost.seconds_each * static_cast<double>(contents) * 1000);
    if (cost.tokens_each > 0) {
      out += fmt::format(", {:.0f} tokens", cost.tokens_each * static_cast<double>(contents));
    }
    return out;
  };
  std::string line =
      fmt::format("safeguard: {} contents under two versions: about {} (measured on {})", size,
                  text(size), cost.pilot);
  if (sample < size) {
    line += fmt::format("; a sample of {}: about {}", sample, text(sample));
  }
  console.Error(line + "\n");
}

Status Measure(const PolicyDiffArguments& arguments, Comparison& comparison, Console& console,
               const std::atomic<bool>& stop, PolicyDiffReport& report) {
  const std::size_t size = comparison.contents.records.size();
  const Cost cost = MeasureCost(comparison, arguments.judge.judge == "screen");
  const std::size_t sample = SampleSize(arguments, cost, size);
  TellCost(cost, sample, size, console);
  if (arguments.dry_run) {
    return {};
  }
  ProgressLine progress(console, 0);
  eval::BlastOptions options;
  options.sample = sample;
  options.confidence = arguments.confidence;
  options.seed = arguments.seed;
  options.flips_max = arguments.flips;
  options.run.cancel = &stop;
  options.run.progress = [&progress](const eval::Progress& p) {
    progress.Update({p.done, p.done, p.done, p.total});
  };
  Result<eval::BlastRadius> radius =
      eval::MeasureBlastRadius(*comparison.judging.judge, comparison.judging.prepared,
                               comparison.contents.records, comparison.scores, options);
  progress.Clear();
  if (!radius) {
    return std::unexpected(radius.error());
  }
  report.radius = std::move(*radius);
  report.over = arguments.over;
  return {};
}

Status CheckArguments(const PolicyDiffArguments& arguments) {
  const int ways =
      (arguments.sample > 0 ? 1 : 0) + (arguments.budget_s > 0 ? 1 : 0) + (arguments.all ? 1 : 0);
  if (ways > 1) {
    return Fail(ErrorCode::kInvalidInput, "--sample, --budget and --all exclude each other",
                "give one");
  }
  if (arguments.over.empty() &&
      (ways > 0 || arguments.dry_run || !arguments.scores.empty() || !arguments.golden.empty())) {
    return Fail(ErrorCode::kInvalidInput,
                "--sample, --budget, --all, --dry-run, --scores and --golden go with --over",
                "name the contents with --over FILE");
  }
  if (arguments.json && arguments.markdown) {
    return Fail(ErrorCode::kInvalidInput, "--json and --markdown exclude each other", "give one");
  }
  return CheckJudge(arguments.judge);
}

void Print(const PolicyDiffArguments& arguments, const PolicyDiffReport& report, Console& console) {
  console.Out(arguments.json ? JsonText(PolicyDiffJson(report))
              : arguments.markdown
                  ? PolicyDiffMarkdown(report)
                  : PolicyDiffText(report, console.columns(), UseColor(console, arguments.color)));
}

}  // namespace

ExitCode RunPolicyDiff(const PolicyDiffArguments& arguments, Services& services, Console& console,
                       const std::atomic<bool>& stop) {
  if (const Status usage = CheckArguments(arguments); !usage) {
    return Fails(console, usage.error(), ExitCode::kUsage);
  }
  PolicyDiffReport report;
  Result<std::vector<LoadedPolicy>> both = LoadBoth(arguments, services, report.notes);
  if (!both) {
    return Fails(console, both.error(), ExitCode::kCannotRun);
  }
  Comparison comparison;
  comparison.before = both->front();
  comparison.after = both->back();
  report.before_origin = comparison.before.origin;
  report.after_origin = comparison.after.origin;
  report.diff = moderation::DiffPolicies(comparison.before.policy, comparison.after.policy);
  if (arguments.over.empty()) {
    Print(arguments, report, console);
    return ExitCode::kSafe;
  }
  const TemporaryHistory history;
  PolicyDiffArguments over = arguments;
  if (arguments.over == kOverLog) {
    const Result<std::size_t> written =
        WriteLogHistory(comparison.before.policy.id, history.path());
    if (!written) {
      return Fails(console, written.error(), ExitCode::kUsage);
    }
    over.over = history.path();
    over.scores = arguments.scores.empty() ? history.path() : arguments.scores;
  }
  if (const Status loaded = LoadContents(over, console, comparison); !loaded) {
    return Fails(console, loaded.error(), ExitCode::kUsage);
  }
  Result<Judging> judging = OpenJudging(
      std::move(*both), {{arguments.before, arguments.after}, "", arguments.judge}, services);
  if (!judging) {
    return Fails(console, judging.error(), ExitCode::kCannotRun);
  }
  comparison.judging = std::move(*judging);
  if (const Status measured = Measure(arguments, comparison, console, stop, report); !measured) {
    return Fails(console, measured.error(),
                 stop.load() ? ExitCode::kInterrupted : ExitCode::kCannotRun);
  }
  if (!arguments.dry_run) {
    Print(arguments, report, console);
  }
  return comparison.contents.error_count > 0 ? ExitCode::kUsage : ExitCode::kSafe;
}

}  // namespace safeguard::apps
