#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/file.h"
#include "eval/run_file/lines.h"

namespace safeguard::eval {
namespace {

using moderation::Outcome;

Error At(const std::string& path, std::size_t line, const Error& error) {
  return {error.code, path + ", line " + std::to_string(line) + ": " + error.message, error.hint};
}

}  // namespace

Result<WholeLines> SplitRun(std::string_view bytes, const std::string& path) {
  WholeLines lines;
  for (std::size_t number = 1; lines.bytes < bytes.size(); ++number) {
    const std::size_t end = bytes.find('\n', lines.bytes);
    if (end == std::string_view::npos) {
      break;  // cut short by a kill
    }
    const std::string_view line = bytes.substr(lines.bytes, end - lines.bytes);
    nlohmann::json json = nlohmann::json::parse(line, nullptr, false);
    if (json.is_discarded()) {
      return std::unexpected(
          At(path, number,
             {.code = ErrorCode::kCorruptFile,
              .message = number == 1 ? "this is not a run file" : "this is not valid JSON",
              .hint = "name a file that eval --run has written"}));
    }
    if (number == 1) {
      lines.header = std::move(json);
    } else {
      lines.cases.push_back(std::move(json));
    }
    lines.bytes = end + 1;
  }
  return lines;
}

Result<RecordedRun> ReadRun(const std::string& path) {
  const auto file = MappedFile::Open(path);
  if (!file) {
    return std::unexpected(file.error());
  }
  const std::span<const std::byte> bytes = (*file)->bytes();
  Result<WholeLines> lines =
      SplitRun({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
  if (!lines) {
    return std::unexpected(lines.error());
  }
  RecordedRun run;
  run.path = path;
  Result<RunHeader> header = ReadHeader(lines->header);
  if (!header) {
    return std::unexpected(At(path, 1, header.error()));
  }
  run.header = std::move(*header);
  for (std::size_t i = 0; i < lines->cases.size(); ++i) {
    Result<RunCase> recorded = ReadCase(lines->cases[i], run.header.policies);
    if (!recorded) {
      return std::unexpected(At(path, i + 2, recorded.error()));
    }
    run.cases.push_back(std::move(*recorded));
  }
  const auto index = [](const RunCase& recorded) { return recorded.judged.index; };
  std::ranges::sort(run.cases, {}, index);
  const auto twice = std::ranges::adjacent_find(run.cases, {}, index);
  if (twice != run.cases.end() ||
      (!run.cases.empty() && run.cases.back().judged.index >= run.header.records)) {
    return Fail(ErrorCode::kCorruptFile,
                path + " holds a case twice, or one that is not of the run",
                "judge again with --restart");
  }
  return run;
}

RestoredRun Restore(const RecordedRun& run, std::size_t policy) {
  CHECK(policy < run.header.policies.size());
  const RunPolicy& of = run.header.policies[policy];
  RestoredRun restored;
  restored.policy.id = of.id;
  restored.policy.name = of.name;
  restored.policy.version = of.version;
  restored.policy.hash = of.hash;
  restored.policy.thresholds = of.thresholds;
  restored.dataset.name = run.header.dataset_name;
  restored.dataset.path = run.header.dataset_path;
  restored.dataset.hash = run.header.dataset_hash;
  restored.dataset.error_count = run.header.line_errors;
  restored.run.cancelled = !run.complete();
  for (const RunCase& recorded : run.cases) {
    restored.dataset.records.push_back(recorded.record);
    restored.run.results.push_back(recorded.judged.results[policy]);
    for (const CaseResult& result : recorded.judged.results) {
      restored.run.seconds += result.seconds;
    }
  }
  return restored;
}

void ApplyThreshold(double threshold, RecordedRun& run) {
  CHECK(threshold >= 0 && threshold <= 1);
  for (RunCase& recorded : run.cases) {
    for (CaseResult& result : recorded.judged.results) {
      if (result.verdict.score) {
        const bool violation = *result.verdict.score >= threshold;
        result.verdict.outcome = violation ? Outcome::kViolation : Outcome::kSafe;
        result.verdict.reason = moderation::UndeterminedReason::kNone;
        if (!violation) {  // what is safe cites nothing
          result.verdict.category.clear();
          result.verdict.rule_ids.clear();
        }
      }
    }
  }
}

}  // namespace safeguard::eval
