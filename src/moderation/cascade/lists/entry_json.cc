#include "moderation/cascade/lists/entry_json.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/utc_time.h"
#include "base/utf8.h"

namespace safeguard::moderation::lists {
namespace {

using nlohmann::json;

constexpr std::array<const char*, 15> kKeys = {
    "id",     "term",  "allow",    "exact",  "near",     "match", "similarity", "action",
    "policy", "rules", "category", "reason", "added_by", "added", "expires"};
constexpr std::array<ListKind, 4> kKinds = {ListKind::kTerm, ListKind::kAllow, ListKind::kExact,
                                            ListKind::kNear};

std::unexpected<Error> Wrong(std::string message, std::string hint) {
  return Fail(ErrorCode::kInvalidInput, std::move(message), std::move(hint));
}

Status TakeText(const json& object, const char* key, std::string& out) {
  const auto found = object.find(key);
  if (found == object.end()) {
    return {};
  }
  if (!found->is_string()) {
    return Wrong(std::string(key) + " is not a text", "put it in quotes");
  }
  out = found->get<std::string>();
  return {};
}

Status TakeTime(const json& object, const char* key, std::optional<std::int64_t>& out) {
  std::string text;
  if (const Status taken = TakeText(object, key, text); !taken || !object.contains(key)) {
    return taken;
  }
  const Result<std::int64_t> time = ParseUtc(text);
  if (!time) {
    return Wrong(std::string(key) + " is no time", "write 2026-12-31 or 2026-12-31T18:00:00Z");
  }
  out = *time;
  return {};
}

Status TakeRules(const json& object, std::vector<std::string>& out) {
  const auto found = object.find("rules");
  if (found == object.end()) {
    return {};
  }
  if (!found->is_array() ||
      !std::ranges::all_of(*found, [](const json& rule) { return rule.is_string(); })) {
    return Wrong("rules is not a list of texts", "write \"rules\": [\"SP2.a\"]");
  }
  out = found->get<std::vector<std::string>>();
  return {};
}

Status TakeKind(const json& object, ListEntry& entry) {
  std::size_t kinds = 0;
  for (const ListKind kind : kKinds) {
    if (object.contains(ToString(kind))) {
      ++kinds;
      entry.kind = kind;
    }
  }
  if (kinds != 1) {
    return Wrong(kinds == 0 ? "the entry says not what it lists" : "the entry lists several things",
                 "give one of term, allow, exact, near");
  }
  return TakeText(object, ToString(entry.kind), entry.value);
}

Status TakeChoices(const json& object, ListEntry& entry) {
  std::string match = ToString(entry.match);
  std::string action = ActionName(entry.action);
  if (const Status taken = TakeText(object, "match", match); !taken) {
    return taken;
  }
  if (const Status taken = TakeText(object, "action", action); !taken) {
    return taken;
  }
  const bool phrase = entry.kind == ListKind::kTerm || entry.kind == ListKind::kAllow;
  if (object.contains("match") && (!phrase || !TermMatchFrom(match))) {
    return Wrong("match is not " + std::string(phrase ? "known" : "for hashes"),
                 phrase ? "word, prefix, suffix or anywhere" : "leave it out");
  }
  if (entry.kind == ListKind::kAllow && object.contains("action")) {
    return Wrong("an allowed phrase has no action", "leave action out: it only cancels hits");
  }
  if (entry.kind != ListKind::kAllow && !object.contains("action")) {
    return Wrong("action is missing", "violation, safe or review");
  }
  const std::optional<ListEffect> effect = ActionFrom(action);
  if (!effect) {
    return Wrong("action is not known", "violation, safe or review");
  }
  entry.match = *TermMatchFrom(match);
  entry.action = *effect;
  if (const auto found = object.find("similarity"); found != object.end()) {
    if (entry.kind != ListKind::kNear || !found->is_number()) {
      return Wrong("similarity is a number, of near alone", "write \"similarity\": 0.8");
    }
    entry.similarity = found->get<double>();
  }
  return {};
}

}  // namespace

Result<ListEntry> ReadEntry(std::string_view line) {
  const json object = json::parse(line, nullptr, false);
  if (!object.is_object()) {
    return Wrong("the line is not a JSON object", "one entry a line, {\"id\": ..., ...}");
  }
  for (const auto& [key, value] : object.items()) {
    if (std::ranges::find(kKeys, key) == kKeys.end()) {
      return Wrong("there is no field \"" + key.substr(0, 40) + "\"", "see docs/lists.md");
    }
  }
  ListEntry entry;
  Status taken = TakeKind(object, entry);
  for (const auto& [key, out] :
       std::array<std::pair<const char*, std::string*>, 5>{{{"id", &entry.id},
                                                            {"policy", &entry.policy},
                                                            {"category", &entry.category},
                                                            {"reason", &entry.reason},
                                                            {"added_by", &entry.added_by}}}) {
    taken = taken ? TakeText(object, key, *out) : taken;
  }
  taken = taken ? TakeTime(object, "added", entry.added) : taken;
  taken = taken ? TakeTime(object, "expires", entry.expires) : taken;
  taken = taken ? TakeRules(object, entry.rules) : taken;
  taken = taken ? TakeChoices(object, entry) : taken;
  taken = taken ? CheckEntry(entry) : taken;
  if (!taken) {
    return std::unexpected(taken.error());
  }
  return entry;
}

}  // namespace safeguard::moderation::lists

namespace safeguard::moderation {

std::string EntryLine(const ListEntry& entry) {
  nlohmann::ordered_json object = {{"id", entry.id}, {ToString(entry.kind), entry.value}};
  const bool phrase = entry.kind == ListKind::kTerm || entry.kind == ListKind::kAllow;
  if (phrase && entry.match != TermMatch::kWord) {
    object["match"] = ToString(entry.match);
  }
  if (entry.kind == ListKind::kNear) {
    object["similarity"] = entry.similarity;
  }
  if (entry.kind != ListKind::kAllow) {
    object["action"] = ActionName(entry.action);
  }
  object["policy"] = entry.policy;
  if (!entry.rules.empty()) {
    object["rules"] = entry.rules;
  }
  if (!entry.category.empty()) {
    object["category"] = entry.category;
  }
  object["reason"] = entry.reason;
  object["added_by"] = entry.added_by;
  if (entry.added) {
    object["added"] = UtcText(*entry.added);
  }
  if (entry.expires) {
    object["expires"] = UtcText(*entry.expires);
  }
  return object.dump() + "\n";
}

}  // namespace safeguard::moderation
