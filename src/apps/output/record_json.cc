#include "apps/output/record_json.h"

#include "http/domain_json.h"

namespace safeguard::apps {

nlohmann::ordered_json RecordJson(const moderation::VerdictRecord& record) {
  return http::RecordJson(record);
}

}  // namespace safeguard::apps
