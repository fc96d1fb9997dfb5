// `safeguard screen train`.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <utility>

#include "apps/commands/commands.h"
#include "apps/commands/screen_commands.h"
#include "apps/input/data_folder.h"
#include "apps/input/model_folders.h"
#include "apps/input/policy_catalog.h"
#include "apps/input/training_labels.h"
#include "apps/output/verdict_json.h"
#include "base/hash.h"
#include "base/utc_time.h"
#include "eval/runner.h"
#include "judges/classifier_training.h"
#include "moderation/verdict_log.h"
#include "storage/classifier_store.h"

namespace safeguard::apps {
namespace {

using Clock = std::chrono::steady_clock;
using Indices = std::vector<std::size_t>;

// Above this many the encoder would read for longer than minutes.
constexpr std::size_t kHeadRecordsMax = 50'000;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

bool IsViolation(const eval::Record& record) {
  return record.expected == moderation::Outcome::kViolation;
}

class Trained final : public eval::Candidate {
 public:
  Trained(judges::ClassifierKind kind, std::unique_ptr<judges::ClassifierTrainer> trainer)
      : kind_(kind), trainer_(std::move(trainer)) {}
  [[nodiscard]] std::string name() const override { return judges::ToString(kind_); }
  Result<std::vector<std::optional<double>>> LearnAndScore(
      std::span<const std::size_t> train, std::span<const std::size_t> score) override {
    return trainer_->LearnAndScore(train, score);
  }
  [[nodiscard]] const judges::ClassifierTrainer& trainer() const { return *trainer_; }

 private:
  judges::ClassifierKind kind_;
  std::unique_ptr<judges::ClassifierTrainer> trainer_;
};

class Training {
 public:
  Training(const ScreenTrainArguments& arguments, Services& services, Console& console,
           const std::atomic<bool>& stop)
      : arguments_(arguments), services_(services), console_(console), stop_(stop) {}

  Status Run(const LoadedPolicy& policy) {
    const Clock::time_point start = Clock::now();
    report_.policy = policy.policy.Reference();
    Status status = ReadLabels(policy);
    if (status) {
      status = OpenCandidates();
    }
    report_.read_seconds = SecondsSince(start);
    if (status) {
      status = Choose();
    }
    if (status) {
      status = Measure();
    }
    if (status && !arguments_.no_baseline) {
      status = MeasureScreen(policy);
    }
    if (status && stop_.load()) {
      status = Fail(ErrorCode::kUnavailable, "interrupted: nothing was saved");
    }
    report_.total_seconds = SecondsSince(start);
    return status ? Install(policy) : status;
  }

  [[nodiscard]] const TrainingReport& report() const { return report_; }

 private:
  void Say(const std::string& what) { console_.Error("safeguard: " + what + "\n"); }

  Status ReadLabels(const LoadedPolicy& policy) {
    Result<std::vector<eval::Record>> labels =
        ReadTrainingLabels(arguments_, policy, console_, report_);
    if (!labels) {
      return std::unexpected(labels.error());
    }
    report_.cleaned = eval::CleanLabels(std::move(*labels));
    records_ = std::exchange(report_.cleaned.records, {});
    std::vector<eval::Record> test;
    if (!arguments_.test.empty()) {
      Result<std::vector<eval::Record>> read = ReadTestLabels(arguments_, console_);
      if (!read) {
        return std::unexpected(read.error());
      }
      test = std::move(*read);
      report_.test_origin = arguments_.test;
      report_.shared_with_test = eval::RemoveTestTexts(test, records_);
    }
    if (const Status enough = eval::CheckTrainable(records_); !enough) {
      return enough;
    }
    report_.positives = static_cast<std::size_t>(std::ranges::count_if(records_, IsViolation));
    report_.negatives = records_.size() - report_.positives;
    Result<eval::TrainingSplit> split =
        eval::SplitForTraining(records_, test.empty(), arguments_.seed);
    if (!split) {
      return std::unexpected(split.error());
    }
    split_ = std::move(*split);
    report_.folds = split_.validate.size();
    test_ = split_.test;
    for (eval::Record& record : test) {
      test_.push_back(records_.size());
      records_.push_back(std::move(record));
    }
    report_.test_texts = test_.size();
    report_.test_positives = static_cast<std::size_t>(
        std::ranges::count_if(test_, [this](std::size_t i) { return IsViolation(records_[i]); }));
    for (const eval::Record& record : records_) {
      contents_.push_back(record.content);
      positive_.push_back(IsViolation(record));
    }
    return {};
  }

  Status OpenCandidates() {
    for (const judges::ClassifierKind kind :
         {judges::ClassifierKind::kWords, judges::ClassifierKind::kHead}) {
      const std::string name = judges::ToString(kind);
      if (arguments_.kind != "auto" && arguments_.kind != name) {
        continue;
      }
      judges::TrainerOptions options;
      options.threads = arguments_.threads;
      options.seed = arguments_.seed;
      options.cancel = &stop_;
      if (kind == judges::ClassifierKind::kHead) {
        if (arguments_.kind == "auto" && records_.size() > kHeadRecordsMax) {
          report_.not_tried.push_back(
              fmt::format("head was not tried: {} texts are more than {}; ask for it with --kind",
                          records_.size(), kHeadRecordsMax));
          continue;
        }
        Result<std::string> folder = FindModelPath(kScreenModel, ModelFolders(arguments_.model));
        if (!folder) {
          return std::unexpected(folder.error());
        }
        options.model_folder = std::move(*folder);
        Say(fmt::format("the encoder reads {} texts", records_.size()));
      }
      auto trainer = judges::OpenTrainer(kind, {contents_, positive_}, options);
      if (!trainer) {
        return std::unexpected(trainer.error());
      }
      candidates_.push_back(std::make_unique<Trained>(kind, std::move(*trainer)));
    }
    return {};
  }

  Status Choose() {
    Say(fmt::format("validating on {}", report_.folds == 5 ? "5 folds" : "1 fold of 5"));
    std::vector<eval::Candidate*> candidates;
    for (const auto& candidate : candidates_) {
      candidates.push_back(candidate.get());
    }
    Result<eval::Selection> selection =
        eval::SelectCandidate(candidates, records_, split_, Bootstrap());
    if (!selection) {
      return std::unexpected(selection.error());
    }
    report_.selection = std::move(*selection);
    winner_ = candidates_[report_.selection.winner].get();
    Indices fold_of(records_.size());
    for (std::size_t i = 0; i < split_.train.size(); ++i) {
      fold_of[split_.train[i]] = split_.fold[i];
    }
    Indices folds;
    for (const std::size_t i : report_.selection.validated) {
      folds.push_back(fold_of[i]);
    }
    eval::DecisionOptions options;
    options.miss_rate = arguments_.miss_rate;
    options.alarm_rate = arguments_.alarm_rate;
    Result<eval::Decision> decision = eval::FitDecision(
        report_.selection.candidates[report_.selection.winner].scored, folds, options);
    if (!decision) {
      return std::unexpected(decision.error());
    }
    report_.decision = std::move(*decision);
    if (arguments_.band && !report_.decision.band) {
      return Fail(ErrorCode::kLimit, "there is no uncertain band: " + report_.decision.why_no_band,
                  "label more, or leave --band out");
    }
    return {};
  }

  Status Measure() {
    if (!arguments_.no_curve) {
      Say("learning from 10, 30 and 100 % of the labels");
      Result<std::vector<eval::LearningPoint>> curve =
          eval::LearningCurve(*winner_, records_, split_, test_, Bootstrap());
      if (!curve) {
        return std::unexpected(curve.error());
      }
      report_.curve = std::move(*curve);
    }
    Say("training on all but the test");
    const Clock::time_point start = Clock::now();
    const Result<std::vector<std::optional<double>>> raw =
        winner_->LearnAndScore(split_.train, test_);
    if (!raw) {
      return std::unexpected(raw.error());
    }
    report_.train_seconds = SecondsSince(start);
    std::vector<std::optional<double>> probabilities;
    for (const std::optional<double>& score : *raw) {
      probabilities.push_back(score ? std::optional(report_.decision.map.Apply(*score))
                                    : std::nullopt);
      flagged_.push_back(score && *probabilities.back() >= report_.decision.threshold);
    }
    for (const std::size_t i : test_) {
      test_positive_.push_back(positive_[i]);
    }
    report_.test =
        eval::MeasureTest(probabilities, test_positive_, report_.decision.threshold, Bootstrap());
    report_.test_kappa = eval::Kappa(report_.test.counts);
    return {};
  }

  // The screen as it is, on the same texts, with the golden set that it learns from.
  Status MeasureScreen(const LoadedPolicy& policy) {
    Say("the screen as it is judges the test");
    JudgeChoice choice{.model = arguments_.model, .threads = arguments_.threads};
    const auto judge = services_.OpenJudge(choice);
    if (!judge) {
      return std::unexpected(judge.error());
    }
    const auto prepared = (*judge)->Prepare(policy.policy, policy.golden);
    if (!prepared) {
      return std::unexpected(prepared.error());
    }
    std::vector<eval::Record> test;
    for (const std::size_t i : test_) {
      test.push_back(records_[i]);
    }
    eval::RunOptions options;
    options.cancel = &stop_;
    const eval::EvaluationRun run = eval::RunEvaluation(**judge, *prepared, test, options);
    std::vector<std::optional<double>> flags;
    std::vector<bool> flagged;
    for (const eval::CaseResult& result : run.results) {
      flagged.push_back(result.verdict.outcome == moderation::Outcome::kViolation);
      flags.push_back(flagged.back() ? 1 : 0);
    }
    report_.baseline_golden = policy.golden.size();
    report_.baseline_f1 = eval::MeasureTest(flags, test_positive_, 0.5, Bootstrap()).f1;
    report_.lead_f1 = eval::F1Difference(flagged_, flagged, test_positive_, Bootstrap());
    return {};
  }

  Status Install(const LoadedPolicy& policy) {
    judges::ClassifierCard card;
    winner_->trainer().Describe(card);
    card.policy = policy.policy.Reference();
    std::string labels;
    for (const std::size_t i : split_.train) {
      ++(positive_[i] ? card.positives : card.negatives);
      labels += moderation::ContentHash(contents_[i]) + (positive_[i] ? "1" : "0");
    }
    card.labels_hash = Blake2bHex(labels);
    card.seed = arguments_.seed;
    card.map = report_.decision.map;
    card.threshold = report_.decision.threshold;
    if (const auto& band = report_.decision.band) {
      card.band = judges::UncertainBand{band->safe, band->violation, band->miss_rate,
                                        band->alarm_rate, band->confidence};
    }
    card.why_no_band = report_.decision.why_no_band;
    card.report = TrainingJson(report_).dump(-1, ' ', false,
                                             nlohmann::ordered_json::error_handler_t::replace);
    const Result<std::string> folder = DataFolder(arguments_.data_dir);
    if (!folder) {
      return std::unexpected(folder.error());
    }
    storage::ClassifierEntry entry;
    entry.policy_id = policy.policy.id;
    entry.policy_hash = policy.policy.hash;
    entry.name = arguments_.name.empty() ? policy.policy.id : arguments_.name;
    entry.created_ms = UtcNow();
    entry.kind = judges::ToString(card.kind);
    entry.summary = TrainingSummary(report_);
    const Result<storage::ClassifierEntry> installed = storage::ClassifierStore(*folder).Install(
        std::move(entry), judges::WriteClassifier(card, winner_->trainer().Weights()),
        !arguments_.no_use, arguments_.band);
    if (!installed) {
      return std::unexpected(installed.error());
    }
    report_.installed = installed->name + "@" + std::to_string(installed->version);
    report_.used = !arguments_.no_use;
    report_.band = arguments_.band;
    return {};
  }

  [[nodiscard]] eval::BootstrapOptions Bootstrap() const {
    return {.resamples = 1000, .seed = arguments_.seed, .stratified = true};
  }

  const ScreenTrainArguments& arguments_;
  Services& services_;
  Console& console_;
  const std::atomic<bool>& stop_;
  TrainingReport report_;
  std::vector<eval::Record> records_;  // what is learned, then the texts of --test
  std::vector<moderation::Content> contents_;
  std::vector<bool> positive_;
  eval::TrainingSplit split_;
  Indices test_;
  std::vector<bool> test_positive_;
  std::vector<bool> flagged_;  // by the classifier, of the test
  std::vector<std::unique_ptr<Trained>> candidates_;
  Trained* winner_ = nullptr;
};

// Where the policy may stand: a data folder that training is to make holds none yet.
std::string PolicyFolder(const ScreenTrainArguments& arguments) {
  std::error_code ignored;  // what cannot be looked at is not there
  const bool named = arguments.policy.find('@') != std::string::npos ||
                     std::filesystem::exists(arguments.data_dir + "/policies.db", ignored);
  return named ? arguments.data_dir : "";
}

Status CheckArguments(const ScreenTrainArguments& arguments) {
  if (arguments.source.data.empty() && !arguments.from_log) {
    return Fail(ErrorCode::kInvalidInput, "there is nothing to learn from",
                "name labelled texts with --data, or take verdicts with --from-log");
  }
  return arguments.name.empty() ? Status{} : storage::CheckClassifierName(arguments.name);
}

}  // namespace

ExitCode RunScreenTrain(const ScreenTrainArguments& arguments, Services& services, Console& console,
                        const std::atomic<bool>& stop) {
  if (const Status usable = CheckArguments(arguments); !usable) {
    return Fails(console, usable.error(), ExitCode::kUsage);
  }
  const PolicyCatalog catalog(services.shipped_policies(), PolicyFolder(arguments));
  const Result<LoadedPolicy> policy = catalog.Load(arguments.policy, "", Golden::kRead);
  if (!policy) {
    return Fails(console, policy.error(), ExitCode::kCannotRun);
  }
  // The name must be known to be one before minutes are spent.
  const std::string& name = arguments.name.empty() ? policy->policy.id : arguments.name;
  if (const Status usable = storage::CheckClassifierName(name); !usable) {
    return Fails(console, usable.error(), ExitCode::kUsage);
  }
  Training training(arguments, services, console, stop);
  if (const Status done = training.Run(*policy); !done) {
    const bool users =
        done.error().code == ErrorCode::kInvalidInput || done.error().code == ErrorCode::kLimit;
    return Fails(console, done.error(),
                 stop.load() ? ExitCode::kInterrupted
                 : users     ? ExitCode::kUsage
                             : ExitCode::kCannotRun);
  }
  console.Out(arguments.json ? JsonLine(TrainingJson(training.report())) + "\n"
                             : TrainingText(training.report(), console.columns()));
  return training.report().unreadable > 0 ? ExitCode::kUsage : ExitCode::kSafe;
}

}  // namespace safeguard::apps
