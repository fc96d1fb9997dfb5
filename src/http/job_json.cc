#include "http/job_json.h"

#include "base/utc_time.h"
#include "http/domain_json.h"
#include "moderation/content_json.h"

namespace safeguard::http {

using Json = nlohmann::ordered_json;

Json JobJson(const moderation::Job& job) {
  Json json = {
      {"id", job.id},
      {"kind", job.what.kind},
      {"state", ToString(job.state)},
      {"attempts", job.attempts},
      {"attempts_max", job.what.attempts_max},
      {"priority", job.what.priority},
      {"created", UtcText(job.created)},
      {"changed", UtcText(job.changed)},
  };
  const bool open =
      job.state == moderation::JobState::kWaiting || job.state == moderation::JobState::kLeased;
  if (open) {
    json["due"] = UtcText(job.due);
  }
  if (job.what.deadline != 0) {
    json["deadline"] = UtcText(job.what.deadline);
  }
  for (const auto& [field, value] :
       {std::pair{"key", &job.what.key}, std::pair{"parent", &job.what.parent},
        std::pair{"worker", &job.worker}, std::pair{"problem", &job.problem}}) {
    if (!value->empty()) {
      json[field] = *value;
    }
  }
  return json;
}

Result<Json> FinalVerdictsJson(const moderation::Job& job) {
  const auto records = moderation::RecordsFromJson(job.result);
  if (!records) {
    return std::unexpected(records.error());
  }
  Json verdicts = Json::array();
  for (const moderation::VerdictRecord& record : *records) {
    Json json = RecordJson(record);
    json.erase("sequence");  // of the log, which numbers it itself
    verdicts.push_back(std::move(json));
  }
  return verdicts;
}

}  // namespace safeguard::http
