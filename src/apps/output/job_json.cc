#include "apps/output/job_json.h"

#include <fmt/format.h>

#include "http/job_json.h"

namespace safeguard::apps {

nlohmann::ordered_json JobJson(const moderation::Job& job) {
  return http::JobJson(job);
}

std::string CountsText(const moderation::JobCounts& counts) {
  return fmt::format("{} waiting, {} leased, {} done, {} dead", counts.waiting, counts.leased,
                     counts.done, counts.dead);
}

}  // namespace safeguard::apps
