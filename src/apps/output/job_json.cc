#include "apps/output/job_json.h"

#include <fmt/format.h>

#include "base/utc_time.h"

namespace safeguard::apps {

nlohmann::ordered_json JobJson(const moderation::Job& job) {
  nlohmann::ordered_json json = {
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

std::string CountsText(const moderation::JobCounts& counts) {
  return fmt::format("{} waiting, {} leased, {} done, {} dead", counts.waiting, counts.leased,
                     counts.done, counts.dead);
}

}  // namespace safeguard::apps
