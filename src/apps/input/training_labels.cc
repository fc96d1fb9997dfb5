#include "apps/input/training_labels.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <utility>

#include "apps/commands/eval_data.h"
#include "apps/input/data_folder.h"
#include "base/utc_time.h"
#include "eval/runner.h"
#include "moderation/verdict_log.h"
#include "storage/stores.h"

namespace safeguard::apps {
namespace {

using moderation::Outcome;
using moderation::VerdictRecord;

// The newest verdict on each content, and the newest of another model or version before it.
class LogReader {
 public:
  LogReader(const ScreenTrainArguments& arguments, const LoadedPolicy& policy, LogLabels& told)
      : arguments_(arguments), policy_(policy), told_(told) {}

  Status Read() {
    const Result<std::string> folder = DataFolder(arguments_.data_dir);
    if (!folder) {
      return std::unexpected(folder.error());
    }
    const auto log = storage::OpenVerdictLog(*folder, {});
    if (!log) {
      return std::unexpected(log.error());
    }
    moderation::VerdictQuery query;
    query.policy_id = policy_.policy.id;
    query.only_with_content = true;
    if (!arguments_.since.empty()) {
      const Result<std::int64_t> from = ParseUtc(arguments_.since);
      if (!from) {
        return std::unexpected(from.error());
      }
      query.from = *from;
    }
    while (true) {
      const Result<moderation::VerdictPage> page = (*log)->Scan(query);
      if (!page) {
        return std::unexpected(page.error());
      }
      for (const VerdictRecord& record : page->records) {
        Take(record);
      }
      if (newest_.size() > eval::kTrainingRecordsMax) {
        return Fail(ErrorCode::kLimit, "the log holds more texts than can be learned",
                    "take the latest with --since");
      }
      if (page->end) {
        return {};
      }
      query.after = page->next;
    }
  }

  std::vector<eval::Record> Records() {
    std::vector<eval::Record> records;
    std::vector<eval::Record> earlier;
    for (auto& [hash, item] : newest_) {
      if (item.has_other) {
        earlier.push_back(item.record);
        earlier.back().expected = item.other;
      }
      records.push_back(std::move(item.record));
    }
    told_.between_versions = eval::AgreementOn(records, earlier);
    return records;
  }

 private:
  struct Newest {
    eval::Record record;
    std::string judge;
    bool has_other = false;  // `other`: what another model or version said of it last
    Outcome other = Outcome::kSafe;
  };

  void Take(const VerdictRecord& record) {
    if (record.layer != arguments_.layer && arguments_.layer != "any") {
      return;
    }
    if (record.outcome == Outcome::kUndetermined) {
      ++told_.undecided;
      return;
    }
    if (!arguments_.any_version && record.policy.hash != policy_.policy.hash) {
      ++told_.other_text;
      return;
    }
    if (record.model.starts_with("dedicated:")) {
      ++told_.own;  // it would learn from itself
      return;
    }
    ++told_.records;
    const std::string judge = record.model_hash + " " + record.policy.hash;
    Newest& newest = newest_[record.content_hash];
    if (!newest.judge.empty() && newest.judge != judge) {
      newest.has_other = true;
      newest.other = *newest.record.expected;
    }
    newest.judge = judge;
    newest.record.content = *record.content;
    newest.record.content.id = "verdict " + std::to_string(record.sequence);
    newest.record.expected = record.outcome;
  }

  const ScreenTrainArguments& arguments_;
  const LoadedPolicy& policy_;
  LogLabels& told_;
  std::map<std::string, Newest> newest_;  // by content hash
};

Status AddLog(const ScreenTrainArguments& arguments, const LoadedPolicy& policy,
              std::vector<eval::Record>& records, TrainingReport& report) {
  report.log.emplace();
  LogReader reader(arguments, policy, *report.log);
  if (const Status read = reader.Read(); !read) {
    return read;
  }
  std::vector<eval::Record> logged = reader.Records();
  if (logged.empty()) {
    return Fail(
        ErrorCode::kNotFound,
        fmt::format("the verdict log holds no decided verdict of the layer {} with its text "
                    "under this text of the policy {} ({} undecided, {} under another text)",
                    arguments.layer, policy.policy.id, report.log->undecided,
                    report.log->other_text),
        "record some with --record --record-content, or name another --layer");
  }
  std::vector<eval::Record> golden;
  for (const moderation::GoldenCase& one : policy.golden) {
    golden.push_back(eval::FromGoldenCase(one));
  }
  report.log->with_golden = eval::AgreementOn(golden, logged);
  report.log->with_data = eval::AgreementOn(records, logged);
  std::set<std::string> known;
  for (const eval::Record& record : records) {
    known.insert(eval::NormalText(record.content));
  }
  for (eval::Record& record : logged) {
    if (!known.contains(eval::NormalText(record.content))) {
      records.push_back(std::move(record));
    }
  }
  report.origin += (report.origin.empty() ? "" : " and ") + std::string("the verdict log");
  return {};
}

Status CheckSize(const std::vector<eval::Record>& records) {
  std::size_t bytes = 0;
  for (const eval::Record& record : records) {
    bytes += moderation::TextBytes(record.content);
  }
  return bytes <= eval::kTrainingTextBytesMax
             ? Status{}
             : Fail(ErrorCode::kLimit, "the texts have more than 2 GiB",
                    "train on a sample of them");
}

}  // namespace

Result<std::vector<eval::Record>> ReadTrainingLabels(const ScreenTrainArguments& arguments,
                                                     const LoadedPolicy& policy, Console& console,
                                                     TrainingReport& report) {
  std::vector<eval::Record> records;
  if (!arguments.source.data.empty()) {
    Result<eval::Dataset> data = LoadEvalData(arguments.source);
    if (!data) {
      return std::unexpected(data.error());
    }
    ReportLineErrors(*data, console);
    report.unreadable = data->error_count;
    report.origin = arguments.source.data;
    records = std::move(data->records);
  }
  if (arguments.from_log) {
    if (const Status added = AddLog(arguments, policy, records, report); !added) {
      return std::unexpected(added.error());
    }
  }
  if (const Status fits = CheckSize(records); !fits) {
    return std::unexpected(fits.error());
  }
  return records;
}

Result<std::vector<eval::Record>> ReadTestLabels(const ScreenTrainArguments& arguments,
                                                 Console& console) {
  EvalArguments source = arguments.source;
  source.data = arguments.test;
  Result<eval::Dataset> data = LoadEvalData(source);
  if (!data) {
    return std::unexpected(data.error());
  }
  ReportLineErrors(*data, console);
  eval::CleanedLabels cleaned = eval::CleanLabels(std::move(data->records));
  if (cleaned.conflicting > 0) {
    console.Error(fmt::format("safeguard: {}: {} records left out whose text has both labels\n",
                              arguments.test, cleaned.conflicting));
  }
  if (cleaned.records.empty()) {
    return Fail(ErrorCode::kInvalidInput, arguments.test + " holds no labelled text",
                "look at --label-field and --positive");
  }
  return std::move(cleaned.records);
}

}  // namespace safeguard::apps
