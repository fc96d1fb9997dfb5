#include "eval/runner.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "base/check.h"
#include "moderation/golden.h"

namespace safeguard::eval {
namespace {

using moderation::Content;
using moderation::Judge;
using moderation::PreparedPolicy;
using moderation::Verdict;
using Policies = std::span<const std::shared_ptr<const PreparedPolicy>>;
using Clock = std::chrono::steady_clock;

double Latency(const Verdict& verdict, double share_ms) {
  const auto total = verdict.timings_ms.find("total");
  const bool told =
      total != verdict.timings_ms.end() && std::isfinite(total->second) && total->second > 0;
  return told ? total->second : share_ms;
}

std::vector<Verdict> WrongCount(Policies policies, std::size_t contents, std::size_t returned) {
  std::vector<Verdict> verdicts;
  verdicts.reserve(contents * policies.size());
  for (std::size_t i = 0; i < contents * policies.size(); ++i) {
    verdicts.push_back(moderation::Undetermined(
        policies[i % policies.size()]->policy().Reference(),
        moderation::UndeterminedReason::kInternalError,
        "the judge returned " + std::to_string(returned) + " verdicts for " +
            std::to_string(contents * policies.size()) + " questions"));
  }
  return verdicts;
}

struct Task {
  std::span<const Record> records;
  std::span<const std::size_t> indices;  // of the records to judge
};

void RunBatch(Judge& judge, Policies policies, const Task& task, std::vector<EvaluationRun>& runs) {
  std::vector<Content> contents;
  contents.reserve(task.indices.size());
  for (const std::size_t index : task.indices) {
    contents.push_back(task.records[index].content);
  }
  const Clock::time_point begin = Clock::now();
  std::vector<Verdict> verdicts = judge.Decide(policies, contents);
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  const std::size_t expected = contents.size() * policies.size();
  if (verdicts.size() != expected) {
    verdicts = WrongCount(policies, contents.size(), verdicts.size());
  }
  const double share_ms = seconds * 1000 / static_cast<double>(expected);
  for (std::size_t c = 0; c < contents.size(); ++c) {
    for (std::size_t p = 0; p < policies.size(); ++p) {
      Verdict& verdict = verdicts[c * policies.size() + p];
      const double latency_ms = Latency(verdict, share_ms);
      runs[p].results[task.indices[c]] = {.judged = true,
                                          .verdict = std::move(verdict),
                                          .latency_ms = latency_ms,
                                          .seconds = seconds / static_cast<double>(expected)};
    }
  }
  for (EvaluationRun& run : runs) {
    run.seconds += seconds;
  }
}

// Takes what the journal has of the records; returns the indices of the others.
std::vector<std::size_t> Restore(const RunOptions& options, std::span<const std::size_t> indices,
                                 std::vector<EvaluationRun>& runs) {
  std::vector<std::size_t> open;
  for (const std::size_t index : indices) {
    const JudgedRecord* kept = options.journal == nullptr ? nullptr : options.journal->Find(index);
    if (kept == nullptr) {
      open.push_back(index);
      continue;
    }
    CHECK(kept->results.size() == runs.size());
    double seconds = 0;
    for (std::size_t p = 0; p < runs.size(); ++p) {
      runs[p].results[index] = kept->results[p];
      seconds += kept->results[p].seconds;
    }
    for (EvaluationRun& run : runs) {
      run.seconds += seconds;
    }
  }
  return open;
}

Status Keep(const RunOptions& options, std::span<const std::size_t> indices,
            const std::vector<EvaluationRun>& runs) {
  if (options.journal == nullptr) {
    return {};
  }
  std::vector<JudgedRecord> batch;
  for (const std::size_t index : indices) {
    JudgedRecord& judged = batch.emplace_back();
    judged.index = index;
    for (const EvaluationRun& run : runs) {
      judged.results.push_back(run.results[index]);
    }
  }
  return options.journal->Keep(batch);
}

void End(const std::optional<Error>& error, std::vector<EvaluationRun>& runs) {
  for (EvaluationRun& run : runs) {
    run.cancelled = true;
    run.error = error;
  }
}

// Judges the records of `task`. `done` counts over several calls.
void RunBatches(Judge& judge, Policies policies, const Task& task, const RunOptions& options,
                std::size_t& done, std::vector<EvaluationRun>& runs) {
  CHECK(options.batch_size >= 1);
  for (std::size_t begin = 0; begin < task.indices.size(); begin += options.batch_size) {
    if (options.cancel != nullptr && options.cancel->load(std::memory_order_relaxed)) {
      return End(std::nullopt, runs);
    }
    const std::size_t size = std::min(options.batch_size, task.indices.size() - begin);
    const std::span<const std::size_t> batch = task.indices.subspan(begin, size);
    RunBatch(judge, policies, {task.records, batch}, runs);
    if (const Status kept = Keep(options, batch, runs); !kept) {
      return End(kept.error(), runs);
    }
    done += size;
    if (options.progress) {
      options.progress({.done = done, .total = task.records.size()});
    }
  }
}

}  // namespace

std::vector<EvaluationRun> RunPolicies(Judge& judge, Policies policies,
                                       std::span<const Record> records, const RunOptions& options) {
  CHECK(!policies.empty());
  std::vector<EvaluationRun> runs(policies.size());
  for (EvaluationRun& run : runs) {
    run.results.resize(records.size());
  }
  std::vector<std::size_t> indices(records.size());
  for (std::size_t i = 0; i < indices.size(); ++i) {
    indices[i] = i;
  }
  const std::vector<std::size_t> open = Restore(options, indices, runs);
  std::size_t done = records.size() - open.size();
  RunBatches(judge, policies, {records, open}, options, done, runs);
  return runs;
}

EvaluationRun RunEvaluation(Judge& judge, const std::shared_ptr<const PreparedPolicy>& policy,
                            std::span<const Record> records, const RunOptions& options) {
  return std::move(RunPolicies(judge, {&policy, 1}, records, options).front());
}

Result<CrossValidation> CrossValidate(Judge& judge, const moderation::Policy& policy,
                                      std::span<const Record> records,
                                      const CrossValidationOptions& options,
                                      const RunOptions& run_options) {
  Result<std::vector<std::size_t>> folds = AssignFolds(records, options);
  if (!folds) {
    return std::unexpected(folds.error());
  }
  std::vector<EvaluationRun> runs(1);
  runs.front().results.resize(records.size());
  std::size_t done = 0;
  for (std::size_t fold = 0; fold < options.folds && !runs.front().cancelled; ++fold) {
    std::vector<moderation::GoldenCase> training;
    std::vector<std::size_t> scored;
    for (std::size_t i = 0; i < records.size(); ++i) {
      if ((*folds)[i] == fold) {
        scored.push_back(i);
      } else if (std::optional<moderation::GoldenCase> golden = ToGoldenCase(records[i])) {
        training.push_back(std::move(*golden));
      }
    }
    const std::size_t fold_size = scored.size();
    scored = Restore(run_options, scored, runs);
    done += fold_size - scored.size();
    if (scored.empty()) {
      continue;
    }
    auto prepared = judge.Prepare(policy, training);
    if (!prepared) {
      return std::unexpected(prepared.error());
    }
    RunBatches(judge, {&*prepared, 1}, {records, scored}, run_options, done, runs);
  }
  return CrossValidation{
      .run = std::move(runs.front()), .folds = std::move(*folds), .fold_count = options.folds};
}

}  // namespace safeguard::eval
