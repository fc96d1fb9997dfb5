#include "apps/commands/verdict_recorder.h"

#include <utility>
#include <vector>

#include "apps/input/data_folder.h"
#include "base/utc_time.h"
#include "storage/audit_log.h"

namespace safeguard::apps {

Result<std::unique_ptr<VerdictRecorder>> VerdictRecorder::Open(const RecordChoice& choice,
                                                               const std::string& data_dir) {
  if (!choice.record) {
    if (choice.keep_content) {
      return Fail(ErrorCode::kInvalidInput, "--record-content goes with --record",
                  "add --record, or leave it out");
    }
    return nullptr;
  }
  const Result<std::string> folder = DataFolder(data_dir);
  if (!folder) {
    return std::unexpected(folder.error());
  }
  Result<std::unique_ptr<moderation::VerdictLog>> log =
      storage::OpenAuditedVerdictLog(*folder, {.create = true});
  if (!log) {
    return std::unexpected(log.error());
  }
  return std::unique_ptr<VerdictRecorder>(
      new VerdictRecorder(std::move(*log), choice.keep_content));
}

Status VerdictRecorder::Record(std::span<const moderation::Content> contents,
                               const Judged& judged) {
  std::vector<moderation::VerdictRecord> records;
  const moderation::TimeMs now = UtcNow();
  const std::size_t policies = contents.empty() ? 0 : judged.verdicts.size() / contents.size();
  for (std::size_t i = 0; i < judged.verdicts.size(); ++i) {
    records.push_back(moderation::RecordOf(judged.verdicts[i], contents[i / policies],
                                           judged.channels[i], now, keep_content_));
  }
  for (const ShadowVerdict& shadow : judged.shadows) {
    records.push_back(moderation::RecordOf(shadow.verdict, contents[shadow.content],
                                           moderation::Channel::kShadow, now, keep_content_));
  }
  for (moderation::VerdictRecord& record : records) {
    record.provenance.setup = setup_;
  }
  return log_->Append(records);
}

}  // namespace safeguard::apps
