// A record of the verdict log as `safeguard verdicts --json` writes it: a content where the log
// keeps it, and its verdict.
#pragma once

#include <nlohmann/json.hpp>

#include "moderation/verdict_log.h"

namespace safeguard::apps {

nlohmann::ordered_json RecordJson(const moderation::VerdictRecord& record);

}  // namespace safeguard::apps
