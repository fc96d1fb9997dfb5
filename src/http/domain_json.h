// The domain as JSON: what the service answers, and what `classify --json`, `batch`, `verdicts
// --json` and `policy ... --json` write. A verdict:
//
//   policy, policy_version, policy_hash, outcome, reason, score, category, rule_ids, rationale,
//   evidence [{start, end, text}], decided_by, timings_ms, and beyond these: view, detail, notes,
//   model, model_hash (where there is something to say).
//
// `reason` is null unless undetermined; `score` is null when nothing scored. `start` and `end` are
// byte offsets, half open; evidence of a conversation also has "message", the index of the message.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "moderation/content.h"
#include "moderation/policy_store.h"
#include "moderation/verdict.h"
#include "moderation/verdict_log.h"

namespace safeguard::http {

nlohmann::ordered_json VerdictJson(const moderation::Verdict& verdict,
                                   moderation::ContentKind kind);

// The same, with what part the version played where the store chose it: "active" or "canary".
nlohmann::ordered_json RoutedVerdictJson(const moderation::Verdict& verdict,
                                         moderation::Channel channel, moderation::ContentKind kind);

// A record of the verdict log: a content where the log keeps it, and its verdict.
nlohmann::ordered_json RecordJson(const moderation::VerdictRecord& record);

nlohmann::ordered_json VersionJson(const moderation::VersionInfo& version);
nlohmann::ordered_json EventJson(const moderation::StoreEvent& event);

// One line without its newline; text that is not UTF-8 comes out with U+FFFD, never as an error.
std::string JsonLine(const nlohmann::ordered_json& object);
// The same, indented by two spaces, with a newline at the end.
std::string JsonText(const nlohmann::ordered_json& object);

}  // namespace safeguard::http
