#include "apps/serve/eval_worker.h"

#include <algorithm>
#include <filesystem>
#include <random>
#include <utility>

#include "apps/serve/dataset_reader.h"
#include "apps/serve/leased_judge.h"
#include "apps/version_info.h"
#include "base/utc_time.h"
#include "eval/benchmark_sets.h"
#include "eval/report.h"
#include "eval/run_file.h"
#include "eval/runner.h"
#include "http/api/eval_run.h"

namespace safeguard::apps {
namespace {

using moderation::Lease;
using moderation::TimeMs;

constexpr TimeMs kLeaseMs = 120'000;
constexpr TimeMs kRetryMs = 10'000;
constexpr const char* kJournalEnd = ".jsonl";

void Sample(std::size_t count, std::uint64_t seed, eval::Dataset& data) {
  if (count == 0 || count >= data.records.size()) {
    return;
  }
  std::vector<eval::Record> sample;
  std::mt19937_64 random(seed);
  std::ranges::sample(data.records, std::back_inserter(sample), static_cast<std::ptrdiff_t>(count),
                      random);
  data.notes.push_back("a sample of " + std::to_string(count) + " of the " +
                       std::to_string(data.records.size()) + " records, seed " +
                       std::to_string(seed));
  data.records = std::move(sample);
}

// Keeps no batch that was cut short: it is judged again.
class WholeBatches final : public eval::RunJournal {
 public:
  WholeBatches(eval::RunJournal& journal, const LeasedJudge& judge)
      : journal_(journal), judge_(judge) {}

  [[nodiscard]] const eval::JudgedRecord* Find(std::size_t index) const override {
    return journal_.Find(index);
  }
  Status Keep(std::span<const eval::JudgedRecord> batch) override {
    return judge_.was_cut() ? Status{} : journal_.Keep(batch);
  }

 private:
  eval::RunJournal& journal_;
  const LeasedJudge& judge_;
};

class EvalWorker final : public moderation::JobWorker {
 public:
  explicit EvalWorker(EvalWorkerParts parts) : parts_(std::move(parts)) {}

  Result<std::size_t> Work() override {
    const auto leases = parts_.queue.Take(
        {.kinds = {http::kEvalJob}, .count = 1, .lease_ms = kLeaseMs, .worker = parts_.name},
        UtcNow());
    if (!leases) {
      return std::unexpected(leases.error());
    }
    if (leases->empty()) {
      if (!tidied_) {
        Tidy();
      }
      return 0;
    }
    tidied_ = false;
    const Lease& lease = leases->front();
    const Status worked = lease.spent == moderation::Spent::kNo
                              ? WorkOn(lease)
                              : parts_.queue.Bury(lease, lease.job.problem, {}, UtcNow());
    // Whoever lost the lease has nothing left to do: the run was called off, or is another's.
    const bool lost = !worked && worked.error().code == ErrorCode::kNotFound;
    return worked || lost ? Result<std::size_t>(1) : std::unexpected(worked.error());
  }

 private:
  struct Data {
    eval::Dataset data;
    std::string mapping;  // as JSON; empty: none
  };
  struct Judged {
    std::vector<moderation::Policy> policies;
    std::vector<eval::EvaluationRun> runs;
    bool stopped = false;          // before all was judged
    std::optional<Error> trouble;  // of the queue
  };

  // Removes what is left of runs that are over.
  void Tidy() {
    std::error_code none;  // no folder: nothing is left
    for (const auto& file : std::filesystem::directory_iterator(parts_.folder, none)) {
      if (file.path().extension() != kJournalEnd) {
        continue;
      }
      const Result<moderation::Job> job = parts_.queue.Find(file.path().stem().string());
      const bool over = job ? job->state == moderation::JobState::kDone
                            : job.error().code == ErrorCode::kNotFound;
      if (over) {
        std::filesystem::remove(file.path(), none);
      }
    }
    tidied_ = true;
  }

  // What cannot be done at all buries the job; what may pass is tried again.
  Status WorkOn(const Lease& lease) {
    const Result<http::EvalRun> run = http::EvalRunOf(lease.job.what.payload);
    if (!run) {
      return parts_.queue.Bury(lease, Describe(run.error()), {}, UtcNow());
    }
    Result<Data> read = ReadData(*run);
    if (!read) {
      return GiveUp(lease, read.error());
    }
    Sample(run->sample, run->seed, read->data);
    const Result<Judged> judged = Judge(lease, *run, *read);
    if (!judged) {
      return GiveUp(lease, judged.error());
    }
    if (judged->trouble) {
      return judged->trouble->code == ErrorCode::kNotFound ? std::unexpected(*judged->trouble)
                                                           : GiveUp(lease, *judged->trouble);
    }
    if (judged->stopped) {
      return parts_.queue.Release(lease, UtcNow(), "", UtcNow());
    }
    return Report(lease, *run, *read, *judged);
  }

  Result<Data> ReadData(const http::EvalRun& run) {
    const auto file = parts_.files.Find(http::kSharedOwner, run.dataset);
    if (!file) {
      return std::unexpected(file.error());
    }
    const auto mapping = http::ReadDatasetMapping(file->notes);
    if (!mapping) {
      return Fail(ErrorCode::kCorruptFile, "the dataset's mapping cannot be read",
                  "send the dataset again");
    }
    Result<eval::Dataset> data = LoadSent(parts_.folder, moderation::SourceOf(parts_.files, *file),
                                          run.dataset_name, *mapping);
    if (!data) {
      return std::unexpected(data.error());
    }
    return Data{std::move(*data), file->notes};
  }

  Status GiveUp(const Lease& lease, const Error& error) {
    const bool may_pass = error.code == ErrorCode::kUnavailable;
    return may_pass ? parts_.queue.Retry(lease, UtcNow() + kRetryMs, Describe(error), UtcNow())
                    : parts_.queue.Bury(lease, Describe(error), {}, UtcNow());
  }

  [[nodiscard]] std::string RunPath(const Lease& lease) const {
    return parts_.folder + "/" + lease.job.id + kJournalEnd;
  }

  Result<std::unique_ptr<eval::RunWriter>> OpenJournal(const Lease& lease, const http::EvalRun& run,
                                                       const Data& data, const Judged& judged) {
    eval::RunHeader header = eval::MakeHeader(data.data, judged.policies);
    header.dataset_mapping = data.mapping;
    header.tool = std::string("safeguard ") + VersionText();
    header.judge = parts_.judge_name;
    header.sample = run.sample;
    header.seed = run.seed;
    header.prompting = "separate";
    Result<std::string> identity = parts_.judge_identity();
    if (!identity) {
      return std::unexpected(identity.error());
    }
    header.judge_identity = std::move(*identity);
    auto journal = eval::RunWriter::Open(RunPath(lease), header, data.data.records, false);
    if (!journal && journal.error().code == ErrorCode::kInvalidInput) {
      // Another judge began it: what it said is not this one's.
      journal = eval::RunWriter::Open(RunPath(lease), header, data.data.records, true);
    }
    return journal;
  }

  Result<Judged> Judge(const Lease& lease, const http::EvalRun& run, const Data& data) {
    Judged judged;
    std::vector<http::PolicyShelf::Prepared> prepared;
    for (const http::EvalPolicy& policy : run.policies) {
      auto ready = parts_.shelf.Find(policy.policy, policy.text);
      if (!ready) {
        return std::unexpected(ready.error());
      }
      judged.policies.push_back((*ready)->policy());
      prepared.push_back(std::move(*ready));
    }
    const auto journal = OpenJournal(lease, run, data, judged);
    if (!journal) {
      return std::unexpected(journal.error());
    }
    LeasedJudge judge(parts_.judge, parts_.queue, lease, kLeaseMs, parts_.stop);
    WholeBatches whole(**journal, judge);
    std::atomic<bool> end{false};
    eval::RunOptions options;
    options.batch_size = parts_.batch;
    options.journal = &whole;
    options.cancel = &end;
    options.progress = [&](const eval::Progress& progress) {
      if (!judge.was_cut()) {
        judge.Save(http::EvalProgress(progress.done, progress.total));
      }
      end.store(judge.IsOver());
    };
    judged.runs = eval::RunPolicies(judge, prepared, data.data.records, options);
    if (const auto& error = judged.runs.front().error) {
      return std::unexpected(*error);
    }
    judged.trouble = judge.trouble();
    judged.stopped = judged.runs.front().cancelled || judge.was_cut();
    return judged;
  }

  Status Report(const Lease& lease, const http::EvalRun& run, const Data& data,
                const Judged& judged) {
    std::vector<http::EvalReport> reports;
    for (std::size_t p = 0; p < judged.policies.size(); ++p) {
      eval::ReportOptions options;
      options.bootstrap.seed = run.seed;
      options.date = UtcText(UtcNow()).substr(0, 10);
      eval::Report report =
          eval::BuildReport(judged.policies[p], data.data, judged.runs[p], options);
      if (!data.mapping.empty()) {
        report.notes.push_back("fields and labels as the dataset's mapping says: " + data.mapping);
      }
      report.notes.push_back(
          "judged by the service as it answers requests, with what its judge has learned of the "
          "policy's own labelled cases");
      Result<http::EvalReport> kept = Keep(lease, run.policies[p].policy, report);
      if (!kept) {
        return GiveUp(lease, kept.error());
      }
      reports.push_back(std::move(*kept));
    }
    const Status done = parts_.queue.Complete(lease, http::ResultOf(run, reports), {}, UtcNow());
    if (done) {
      std::error_code ignored;  // it would be in nobody's way
      std::filesystem::remove(RunPath(lease), ignored);
    } else if (done.error().code == ErrorCode::kNotFound) {
      Drop(reports);
    }
    return done;
  }

  // Of a run that was called off at the last moment: nobody will ask for them.
  void Drop(const std::vector<http::EvalReport>& reports) {
    for (const http::EvalReport& report : reports) {
      for (const std::string& file : {report.json_file, report.html_file}) {
        static_cast<void>(parts_.files.Remove(http::kSharedOwner, file));
      }
    }
  }

  Result<http::EvalReport> Keep(const Lease& lease, const moderation::PolicyReference& policy,
                                const eval::Report& report) {
    http::EvalReport kept;
    kept.policy = policy;
    kept.cases = report.cases;
    kept.undetermined = report.undetermined;
    kept.precision = report.with_undetermined.precision.value;
    kept.recall = report.with_undetermined.recall.value;
    kept.f1 = report.with_undetermined.f1.value;
    const std::string name = lease.job.id + "-" + policy.id;
    const auto add = [&](const char* end, std::string bytes, std::string& id) -> Status {
      const auto file = parts_.files.Add(
          {http::kSharedOwner, http::kReportPurpose, name + end, std::move(bytes)}, UtcNow());
      id = file ? file->id : "";
      return file ? Status{} : std::unexpected(file.error());
    };
    Status added = add(".json", eval::RenderJson(report), kept.json_file);
    added = added ? add(".html", eval::RenderHtml(report, {}), kept.html_file) : added;
    return added ? Result<http::EvalReport>(std::move(kept)) : std::unexpected(added.error());
  }

  EvalWorkerParts parts_;
  bool tidied_ = false;  // since the last run
};

}  // namespace

std::unique_ptr<moderation::JobWorker> MakeEvalWorker(EvalWorkerParts parts) {
  return std::make_unique<EvalWorker>(std::move(parts));
}

}  // namespace safeguard::apps
