#include "judges/reasoner/answer_json.h"

#include <algorithm>
#include <array>

#include "judges/reasoner/answer_text.h"

namespace safeguard::judges {
namespace {

using moderation::Side;
using nlohmann::json;

constexpr int kDepthMax = 16;

constexpr std::array<std::string_view, 13> kViolationKeys = {
    "violation", "violates", "is_violation", "violating", "flagged", "unsafe",        "violated",
    "label",     "verdict",  "outcome",      "decision",  "answer",  "classification"};
constexpr std::array<std::string_view, 3> kSafeKeys = {"safe", "is_safe", "allowed"};
constexpr std::array<std::string_view, 5> kCategoryKeys = {"policy_category", "category", "level",
                                                           "severity_level", "policy_level"};
constexpr std::array<std::string_view, 8> kRuleKeys = {
    "rule_ids",    "rules",       "rule",           "rule_id",
    "cited_rules", "rules_cited", "violated_rules", "policy_rules"};
constexpr std::array<std::string_view, 6> kRationaleKeys = {
    "rationale", "reason", "explanation", "reasoning", "justification", "reasons"};

std::string Key(std::string_view name) {
  std::string key = FoldAnswer(name);
  std::ranges::replace_if(key, [](char c) { return c == '-' || c == ' '; }, '_');
  return key;
}

template <std::size_t n>
bool Among(const std::array<std::string_view, n>& keys, const std::string& key) {
  return std::ranges::find(keys, key) != keys.end();
}

std::optional<bool> Truth(const json& value) {
  if (value.is_boolean()) {
    return value.get<bool>();
  }
  if (value.is_number()) {
    const double number = value.get<double>();
    return number == 1 ? std::optional(true) : number == 0 ? std::optional(false) : std::nullopt;
  }
  return std::nullopt;
}

void Say(bool violation, AnswerFields& fields) {
  fields.contradictory =
      fields.contradictory || (fields.violation && *fields.violation != violation);
  fields.violation = violation;
}

// A level or rule given as the label counts as the category too.
void SayLabel(const json& value, const AnswerLabels& labels, AnswerFields& fields) {
  if (!value.is_string()) {
    return;
  }
  std::string text(TrimAnswer(value.get_ref<const std::string&>()));
  const std::size_t plus = FoldAnswer(text).find("+escalate");
  if (plus != std::string::npos && plus <= text.size()) {
    fields.escalate = true;
    text.resize(plus);
  }
  const std::optional<AnswerLabel> label = labels.Find(Unwrap(text));
  if (!label) {
    return;
  }
  if (label->side == Side::kNone) {
    fields.escalate = true;
    return;
  }
  Say(label->side == Side::kViolating, fields);
  if (!label->level_id.empty()) {
    fields.category.push_back(label->text);
  }
}

bool SaysNone(std::string_view text) {
  const std::string folded = FoldAnswer(text);
  return folded.empty() || folded == "none" || folded == "null" || folded == "n/a" ||
         folded == "-" || folded == "na";
}

// A string, a list of strings, or a string that lists several.
void Collect(const json& value, std::vector<std::string>& out) {
  if (value.is_array()) {
    for (const json& element : value) {
      if (element.is_string() || element.is_number()) {
        Collect(element, out);
      }
    }
    return;
  }
  const std::string text = value.is_string()   ? value.get<std::string>()
                           : value.is_number() ? value.dump()
                                               : std::string();
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find_first_of(",;", begin), text.size());
    if (const std::string_view part = TrimAnswer(std::string_view(text).substr(begin, end - begin));
        !SaysNone(part)) {
      out.emplace_back(part);
    }
    begin = end + 1;
  }
}

std::string Prose(const json& value) {
  if (value.is_string()) {
    return std::string(TrimAnswer(value.get_ref<const std::string&>()));
  }
  std::string out;
  if (value.is_array()) {
    for (const json& element : value) {
      if (element.is_string()) {
        out += (out.empty() ? "" : "\n") + element.get<std::string>();
      }
    }
  }
  return out;
}

void ReadField(const std::string& key, const json& value, const AnswerLabels& labels,
               AnswerFields& fields) {
  if (Among(kViolationKeys, key)) {
    if (const std::optional<bool> truth = Truth(value)) {
      Say(*truth, fields);
    } else {
      SayLabel(value, labels, fields);
    }
  } else if (Among(kSafeKeys, key)) {
    if (const std::optional<bool> truth = Truth(value)) {
      Say(!*truth, fields);
    }
  } else if (Among(kCategoryKeys, key)) {
    Collect(value, fields.category);
  } else if (Among(kRuleKeys, key)) {
    Collect(value, fields.rules);
  } else if (Among(kRationaleKeys, key)) {
    fields.rationale = Prose(value);
  } else if (key == "confidence") {
    fields.confidence = value.is_string()   ? value.get<std::string>()
                        : value.is_number() ? value.dump()
                                            : std::string();
  } else if (key == "escalate" || key == "needs_review") {
    fields.escalate = fields.escalate || Truth(value).value_or(false);
  }
}

}  // namespace

json ParseAnswerJson(std::string_view text) {
  int depth = 0;
  for (const char c : text) {
    depth += c == '{' || c == '[' ? 1 : 0;  // brackets in strings count too: a bound, not a parser
    depth -= (c == '}' || c == ']') && depth > 0 ? 1 : 0;
    if (depth > kDepthMax) {
      return json(json::value_t::discarded);
    }
  }
  return json::parse(text, nullptr, false);
}

AnswerFields ReadAnswerFields(const json& object, const AnswerLabels& labels) {
  AnswerFields fields;
  if (!object.is_object()) {
    return fields;
  }
  for (const auto& [name, value] : object.items()) {
    ReadField(Key(name), value, labels, fields);
  }
  if (!fields.violation && !fields.contradictory) {
    // {"policy_category": "SP3"} alone says enough where the level has a side.
    for (const std::string& category : std::vector<std::string>(fields.category)) {
      if (const auto label = labels.Find(category);
          label && !label->level_id.empty() && label->side != Side::kNone) {
        Say(label->side == Side::kViolating, fields);
      }
    }
  }
  return fields;
}

}  // namespace safeguard::judges
