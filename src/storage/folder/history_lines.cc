#include "storage/folder/history_lines.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/utc_time.h"

namespace safeguard::storage {
namespace {

using moderation::EventKind;
using moderation::StoreEvent;
using moderation::VersionState;
using Json = nlohmann::ordered_json;

std::string TextOf(const Json& json, const char* field) {
  const auto found = json.find(field);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

// Nothing when the line cannot be understood.
std::optional<StoreEvent> EventOf(const Json& json, const std::string& policy_id) {
  const auto kind = moderation::EventKindFrom(TextOf(json, "event"));
  const Result<std::int64_t> when = ParseUtc(TextOf(json, "when"));
  if (!kind || !when) {
    return std::nullopt;
  }
  StoreEvent event;
  event.kind = *kind;
  event.policy_id = policy_id;
  event.when = *when;
  event.who = TextOf(json, "who");
  event.why = TextOf(json, "why");
  event.hash = TextOf(json, "policy");
  event.golden_hash = TextOf(json, "golden");
  if (json.contains("version")) {
    if (!json["version"].is_number_integer()) {
      return std::nullopt;
    }
    const auto number = json["version"].get<std::int64_t>();
    if (number < 1 || number > moderation::kVersionsMax) {
      return std::nullopt;
    }
    event.number = static_cast<int>(number);
  }
  for (const auto& [field, state] : {std::pair{"from", &event.from}, std::pair{"to", &event.to}}) {
    if (json.contains(field)) {
      const auto read = moderation::VersionStateFrom(TextOf(json, field));
      if (!read) {
        return std::nullopt;
      }
      *state = *read;
    }
  }
  if (json.contains("percent")) {
    if (!json["percent"].is_number()) {
      return std::nullopt;
    }
    event.canary_percent = json["percent"].get<double>();
  }
  if (json.contains("two_person")) {
    if (!json["two_person"].is_boolean()) {
      return std::nullopt;
    }
    event.two_person = json["two_person"].get<bool>();
  }
  return event;
}

}  // namespace

std::string HistoryLine(const StoreEvent& event) {
  Json json = {{"when", UtcText(event.when)}, {"event", ToString(event.kind)}};
  if (event.number != 0) {
    json["version"] = event.number;
  }
  if (event.kind == EventKind::kPublish) {
    json["policy"] = event.hash;
    if (!event.golden_hash.empty()) {
      json["golden"] = event.golden_hash;
    }
  }
  const bool moves = event.kind == EventKind::kMove || event.kind == EventKind::kRollback;
  if (moves) {
    json["from"] = ToString(event.from);
  }
  if (moves || event.kind == EventKind::kRetirePolicy) {
    json["to"] = ToString(event.to);
  }
  if (moves && event.to == VersionState::kCanary) {
    json["percent"] = event.canary_percent;
  }
  if (event.two_person) {
    json["two_person"] = *event.two_person;
  }
  json["who"] = event.who;
  if (!event.why.empty()) {
    json["why"] = event.why;
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<std::vector<StoreEvent>> ParseHistory(std::string_view text, const std::string& policy_id,
                                             const std::string& name) {
  std::vector<StoreEvent> events;
  int line = 0;
  while (!text.empty()) {
    ++line;
    const std::size_t end = std::min(text.find('\n'), text.size());
    const Json json = Json::parse(text.substr(0, end), nullptr, false);
    std::optional<StoreEvent> event;
    if (json.is_object()) {
      event = EventOf(json, policy_id);
    }
    if (!event) {
      return Fail(ErrorCode::kCorruptFile,
                  name + ": line " + std::to_string(line) + " is no event of a policy's history",
                  "take the file as `safeguard policy export` wrote it");
    }
    events.push_back(std::move(*event));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return events;
}

}  // namespace safeguard::storage
