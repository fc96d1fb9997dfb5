#include <cmath>
#include <optional>
#include <utility>

#include "eval/run_file/lines.h"

namespace safeguard::eval {
namespace {

using moderation::Outcome;
using moderation::UndeterminedReason;
using moderation::Verdict;
using nlohmann::json;
using nlohmann::ordered_json;

ordered_json VerdictJson(const CaseResult& result) {
  const Verdict& verdict = result.verdict;
  ordered_json object = {{"outcome", moderation::ToString(verdict.outcome)}};
  const auto add = [&object](const char* name, const auto& value) {
    if (!value.empty()) {
      object[name] = value;
    }
  };
  add("reason", std::string(moderation::ToString(verdict.reason)));
  add("detail", verdict.detail);
  if (verdict.score && std::isfinite(*verdict.score)) {  // JSON knows no other
    object["score"] = *verdict.score;
  }
  add("category", verdict.category);
  add("rules", verdict.rule_ids);
  add("rationale", verdict.rationale);
  add("reasoning", verdict.reasoning);
  add("confidence", verdict.confidence);
  add("view", verdict.view);
  add("notes", verdict.notes);
  add("layer", verdict.decided_by.layer);
  add("model", verdict.decided_by.model);
  add("model_hash", verdict.decided_by.model_hash);
  add("settings", verdict.decided_by.settings);
  if (verdict.tokens.prompt + verdict.tokens.answer + verdict.tokens.reasoning > 0) {
    object["tokens"] = {verdict.tokens.prompt, verdict.tokens.cached, verdict.tokens.reasoning,
                        verdict.tokens.answer};
  }
  if (verdict.adherence) {
    const moderation::Adherence& adherence = *verdict.adherence;
    object["adherence"] = {{"form", adherence.form},
                           {"followed", adherence.followed ? ordered_json(*adherence.followed)
                                                           : ordered_json(nullptr)},
                           {"fault", adherence.fault},
                           {"cited", adherence.cited},
                           {"unknown", adherence.unknown}};
  }
  object["ms"] = result.latency_ms;
  object["seconds"] = result.seconds;
  return object;
}

Outcome ReadOutcome(const std::string& text) {
  return text == moderation::ToString(Outcome::kViolation) ? Outcome::kViolation
         : text == moderation::ToString(Outcome::kSafe)    ? Outcome::kSafe
                                                           : Outcome::kUndetermined;
}

// A reason that this build does not know is kept as an internal error: never as a decision.
UndeterminedReason ReadReason(const std::string& text) {
  for (int value = 0; value <= static_cast<int>(UndeterminedReason::kInternalError); ++value) {
    const auto reason = static_cast<UndeterminedReason>(value);
    if (text == moderation::ToString(reason)) {
      return reason;
    }
  }
  return UndeterminedReason::kInternalError;
}

CaseResult ReadVerdict(const json& object, const RunPolicy& policy) {
  CaseResult result;
  result.judged = true;
  Verdict& verdict = result.verdict;
  verdict.policy = {policy.id, policy.version, policy.hash};
  verdict.outcome = ReadOutcome(object.at("outcome"));
  verdict.reason = ReadReason(object.value("reason", ""));
  verdict.detail = object.value("detail", "");
  if (object.contains("score")) {
    verdict.score = object["score"].get<double>();
  }
  verdict.category = object.value("category", "");
  verdict.rule_ids = object.value("rules", std::vector<std::string>());
  verdict.rationale = object.value("rationale", "");
  verdict.reasoning = object.value("reasoning", "");
  verdict.confidence = object.value("confidence", "");
  verdict.view = object.value("view", "");
  verdict.notes = object.value("notes", std::vector<std::string>());
  verdict.decided_by.layer = object.value("layer", "");
  verdict.decided_by.model = object.value("model", "");
  verdict.decided_by.model_hash = object.value("model_hash", "");
  verdict.decided_by.settings = object.value("settings", std::map<std::string, std::string>());
  if (object.contains("tokens")) {
    const json& tokens = object["tokens"];
    verdict.tokens = {tokens.at(0), tokens.at(1), tokens.at(2), tokens.at(3)};
  }
  if (object.contains("adherence")) {
    const json& kept = object["adherence"];
    moderation::Adherence& adherence = verdict.adherence.emplace();
    adherence.form = kept.at("form");
    if (!kept.at("followed").is_null()) {
      adherence.followed = kept["followed"].get<bool>();
    }
    adherence.fault = kept.at("fault");
    adherence.cited = kept.at("cited");
    adherence.unknown = kept.at("unknown");
  }
  result.latency_ms = object.at("ms");
  result.seconds = object.at("seconds");
  verdict.timings_ms["total"] = result.latency_ms;
  return result;
}

ordered_json RecordJson(const Record& record) {
  ordered_json object = {{"line", record.line}};
  const auto add = [&object](const char* name, const auto& value) {
    if (!value.empty()) {
      object[name] = value;
    }
  };
  add("id", record.content.id);
  object["content"] = ContentHash(record.content);
  add("surface", record.content.surface);
  add("language", record.content.language);
  if (record.expected) {
    object["expected"] = moderation::ToString(*record.expected);
  }
  add("label", record.label);
  if (record.level) {
    object["level"] = *record.level;
  }
  add("expected_rules", record.rule_ids);
  add("tags", record.tags);
  for (const LabelValue& label : record.labels) {
    object["labels"].push_back(
        {label.name, label.positive ? ordered_json(*label.positive) : ordered_json(nullptr)});
  }
  return object;
}

void ReadRecordOf(const json& object, RunCase& recorded) {
  Record& record = recorded.record;
  record.line = object.at("line");
  record.content.id = object.value("id", "");
  recorded.content_hash = object.at("content");
  record.content.surface = object.value("surface", "");
  record.content.language = object.value("language", "");
  if (object.contains("expected")) {
    record.expected = ReadOutcome(object["expected"]);
  }
  record.label = object.value("label", "");
  if (object.contains("level")) {
    record.level = object["level"].get<int>();
  }
  record.rule_ids = object.value("expected_rules", std::vector<std::string>());
  record.tags = object.value("tags", std::vector<std::string>());
  if (object.contains("labels")) {
    for (const json& label : object["labels"]) {
      record.labels.push_back({.name = label.at(0),
                               .positive = label.at(1).is_null()
                                               ? std::nullopt
                                               : std::optional(label.at(1).get<bool>())});
    }
  }
}

}  // namespace

std::string CaseLine(const Record& record, const JudgedRecord& judged) {
  ordered_json object = {{"case", judged.index}};
  object.update(RecordJson(record));
  object["verdicts"] = ordered_json::array();
  for (const CaseResult& result : judged.results) {
    object["verdicts"].push_back(VerdictJson(result));
  }
  return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

Result<RunCase> ReadCase(const json& object, const std::vector<RunPolicy>& policies) {
  try {
    RunCase recorded;
    ReadRecordOf(object, recorded);
    recorded.judged.index = object.at("case");
    const json& verdicts = object.at("verdicts");
    if (verdicts.size() == policies.size()) {
      for (std::size_t p = 0; p < policies.size(); ++p) {
        recorded.judged.results.push_back(ReadVerdict(verdicts.at(p), policies[p]));
      }
      return recorded;
    }
  } catch (const json::exception&) {  // a field is missing or of another type
  }
  return Fail(ErrorCode::kCorruptFile, "this is no case of the run", "judge again with --restart");
}

}  // namespace safeguard::eval
