#include "judges/reasoner/answer.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "judges/reasoner/answer_grounds.h"
#include "judges/reasoner/answer_json.h"
#include "judges/reasoner/answer_text.h"

namespace safeguard::judges {
namespace {

using moderation::Outcome;
using moderation::Policy;
using moderation::Side;
using moderation::UndeterminedReason;

AnswerReading& Undecided(AnswerReading& reading, UndeterminedReason reason, std::string detail) {
  reading.outcome = Outcome::kUndetermined;
  reading.reason = reason;
  reading.detail = std::move(detail);
  return reading;
}

AnswerReading& Decide(AnswerReading& reading, bool violation) {
  reading.outcome = violation ? Outcome::kViolation : Outcome::kSafe;
  reading.reason = UndeterminedReason::kNone;
  return reading;
}

// What must hold between the outcome and its grounds.
AnswerReading Checked(const Policy& policy, bool violation, bool escalate, AnswerReading reading) {
  const bool violating = CitesSide(policy, reading, Side::kViolating);
  const moderation::Level* level = policy.FindLevel(reading.category);
  const bool violating_level = level != nullptr && level->side == Side::kViolating;
  if (!violation && (violating || (violating_level && reading.rule_ids.empty()))) {
    return Undecided(reading, UndeterminedReason::kUnreadableAnswer,
                     "the answer contradicts itself: it says safe and cites a violating rule; "
                     "judge again or let a person decide");
  }
  if (!violation && escalate) {
    return Undecided(reading, UndeterminedReason::kUncertain,
                     "the policy's author asked for a person in such cases, and the answer says "
                     "that this is one");
  }
  if (violation && !violating && CitesSide(policy, reading, Side::kSafe)) {
    reading.notes.emplace_back("says violation but cites only rules of the safe side");
  }
  if (escalate) {
    reading.notes.emplace_back("the answer asks for a person to look at it");
  }
  return Decide(reading, violation);
}

AnswerReading FromObject(const Policy& policy, const AnswerLabels& labels,
                         const nlohmann::json& object, AnswerReading reading) {
  AnswerFields fields = ReadAnswerFields(object, labels);
  reading.rationale = std::move(fields.rationale);
  reading.confidence = std::move(fields.confidence);
  for (const std::string& cited : fields.category) {
    Cite(policy, cited, reading);
  }
  for (const std::string& cited : fields.rules) {
    Cite(policy, cited, reading);
  }
  if (fields.contradictory) {
    return Undecided(reading, UndeterminedReason::kUnreadableAnswer,
                     "the answer contradicts itself: two of its fields say different things");
  }
  if (!fields.violation) {
    return Undecided(reading, UndeterminedReason::kUnreadableAnswer,
                     "the answer is JSON but has no field that says violation or not; ask for "
                     "\"violation\": 0 or 1");
  }
  const bool escalate = fields.escalate || FoldAnswer(reading.rationale).starts_with("escalate");
  return Checked(policy, *fields.violation, escalate, std::move(reading));
}

// The first word, or words, of an answer in prose: "INVALID", "SP2.a", "not safe".
struct LabelAtStart {
  AnswerLabel label;
  bool escalate = false;
  std::string_view rest;
};

bool EndsLabel(std::string_view rest) {
  constexpr std::string_view ends = " \t\r\n.,;:!)(-+|/*\"'`]}";
  return rest.empty() || ends.find(rest.front()) != std::string_view::npos ||
         rest.starts_with("\u2013") || rest.starts_with("\u2014");
}

bool StartsAside(std::string_view rest) {
  return rest.starts_with("- ") || rest.starts_with("\u2013") || rest.starts_with("\u2014") ||
         rest.starts_with("(");
}

// Whether `rest` may follow a label without making it the start of a sentence or a list: "No
// problem, here it is" and "1. Mix the flour" are no labels, "INVALID: sells followers" is one.
bool StandsApart(const AnswerLabel& label, std::string_view head, std::string_view rest) {
  while (!rest.empty() &&
         std::string_view("*_`\"'])>}").find(rest.front()) != std::string_view::npos) {
    rest.remove_prefix(1);  // ends of emphasis and brackets
  }
  const std::string_view after = TrimAnswer(rest);
  if (after.empty() || after == "." || after == "!") {
    return true;
  }
  if (!label.own) {
    return false;
  }
  const std::string folded = FoldAnswer(head);
  const bool common = folded.size() < 3 || folded == "yes" || folded == "true" || folded == "false";
  if (rest.starts_with('\n') || rest.starts_with("\r\n") || rest.starts_with(':') ||
      rest.starts_with('+') || StartsAside(rest)) {
    return true;
  }
  if (rest.starts_with(' ')) {
    return StartsAside(after) || after.starts_with('+') || (!common && head == label.text);
  }
  return !common && (rest.starts_with(',') || rest.starts_with('.') || rest.starts_with(';'));
}

bool OffersChoice(std::string_view rest) {
  const std::string folded = FoldAnswer(rest.substr(0, 8));
  return folded.starts_with("or ") || folded.starts_with("/") || folded.starts_with("|");
}

std::optional<LabelAtStart> FindLabel(const AnswerLabels& labels, std::string_view text) {
  constexpr std::size_t label_bytes_max = 40;
  while (!text.empty() &&
         std::string_view("*_`\"'[(<").find(text.front()) != std::string_view::npos) {
    text.remove_prefix(1);
  }
  for (std::size_t length = std::min(text.size(), label_bytes_max); length > 0; --length) {
    const std::string_view head = text.substr(0, length);
    if (head.back() == ' ' || !EndsLabel(text.substr(length))) {
      continue;
    }
    if (std::optional<AnswerLabel> label = labels.Find(head)) {
      std::string_view rest = text.substr(length);
      const bool escalate = FoldAnswer(rest.substr(0, 16)).starts_with("+escalate") ||
                            FoldAnswer(rest.substr(0, 16)).starts_with("+ escalate");
      LabelAtStart found{std::move(*label), escalate, rest};
      if (StandsApart(found.label, head, rest) || OffersChoice(rest)) {
        return found;
      }
      return std::nullopt;
    }
  }
  return std::nullopt;
}

// "VALID or INVALID", "0/1": the choice itself, not an answer.
bool IsChoice(const AnswerLabels& labels, const LabelAtStart& first) {
  std::string rest = FoldAnswer(first.rest);
  for (const std::string_view joint : {"or ", "/", "|", "or\n"}) {
    if (rest.starts_with(joint)) {
      const std::optional<LabelAtStart> second =
          FindLabel(labels, TrimAnswer(std::string_view(rest).substr(joint.size())));
      return second && second->label.side != first.label.side;
    }
  }
  return false;
}

// "no: it is a violation", "yes, safe": the words after the label say the opposite of it.
bool SaysTheOpposite(const AnswerLabels& labels, const LabelAtStart& first) {
  std::string_view rest = first.rest;
  constexpr std::string_view between = " \t\r\n.,;:!)(-+|/*\"'`]";
  rest.remove_prefix(std::min(rest.find_first_not_of(between), rest.size()));
  const std::size_t line = rest.find('\n');
  const std::string_view next = TrimAnswer(rest.substr(0, line));
  const std::optional<LabelAtStart> second = FindLabel(labels, next);
  return second && second->label.side != Side::kNone && TrimAnswer(second->rest).size() <= 1 &&
         second->label.side != first.label.side;
}

AnswerReading FromProse(std::string_view text, AnswerReading reading) {
  if (IsRefusal(text)) {
    return Undecided(reading, UndeterminedReason::kRefusal,
                     "the model refused to answer; judge with constrained answers, or let a "
                     "person decide");
  }
  constexpr std::size_t prose_words = 4;
  std::size_t words = 1;
  for (const char c : FoldAnswer(text.substr(0, 200))) {
    words += c == ' ' ? 1 : 0;
  }
  if (words >= prose_words && text.find('{') == std::string_view::npos) {
    return Undecided(reading, UndeterminedReason::kObeyedContent,
                     "the answer judges nothing: the model followed or continued the content "
                     "instead; judge with constrained answers, or let a person decide");
  }
  return Undecided(reading, UndeterminedReason::kUnreadableAnswer,
                   "the answer is neither one of the policy's labels nor a JSON object");
}

AnswerReading FromLabel(const Policy& policy, const AnswerLabels& labels, std::string_view text,
                        const LabelAtStart& found, AnswerReading reading) {
  if (OffersChoice(found.rest)) {
    return IsChoice(labels, found)
               ? Undecided(reading, UndeterminedReason::kEchoedCue,
                           "the answer repeats the choice of labels and makes none; remove the "
                           "answer cue from the end of the policy")
               : FromProse(text, std::move(reading));
  }
  reading.label = found.label.text;
  if (found.label.side == Side::kNone) {
    return Undecided(reading, UndeterminedReason::kUncertain,
                     "the answer asks for a person to decide");
  }
  if (SaysTheOpposite(labels, found)) {
    return Undecided(reading, UndeterminedReason::kUnreadableAnswer,
                     "the answer contradicts itself: it gives labels of both sides");
  }
  if (policy.FindRule(found.label.text) != nullptr || !found.label.level_id.empty()) {
    Cite(policy, found.label.text, reading);
  }
  const std::string_view separators = " \t\r\n.,;:!)(-+|/*\"'`]";
  std::string_view rest = found.rest;
  rest.remove_prefix(std::min(rest.find_first_not_of(separators), rest.size()));
  const bool escalate = found.escalate || FoldAnswer(rest.substr(0, 16)).starts_with("escalate");
  if (IsRefusal(rest)) {
    return FromProse(rest, std::move(reading));  // "No. I can't help with that."
  }
  reading.rationale = std::string(TrimAnswer(rest));
  CiteFromText(policy, rest, reading);
  const bool violation = found.label.side == Side::kViolating;
  if (!violation) {
    // In prose a rule may be named only to be ruled out ("not SP2.a"): no contradiction.
    std::erase_if(reading.rule_ids, [&policy](const std::string& id) {
      const moderation::Rule* rule = policy.FindRule(id);
      return rule != nullptr && rule->side == Side::kViolating;
    });
    const moderation::Level* level = policy.FindLevel(reading.category);
    if (level != nullptr && level->side == Side::kViolating) {
      reading.category.clear();
    }
  }
  return Checked(policy, violation, escalate, std::move(reading));
}

AnswerReading FromJson(const Policy& policy, const AnswerLabels& labels, std::string_view object,
                       std::string_view after, AnswerReading reading) {
  const nlohmann::json json = ParseAnswerJson(object);
  if (!json.is_object()) {
    return Undecided(reading, UndeterminedReason::kUnreadableAnswer,
                     "the answer looks like JSON but cannot be parsed");
  }
  reading = FromObject(policy, labels, json, std::move(reading));
  // A second object that says otherwise takes the first one's word.
  const std::string_view second = FirstObject(after);
  if (!second.empty() && reading.outcome != Outcome::kUndetermined) {
    const AnswerReading other = FromObject(policy, labels, ParseAnswerJson(second), {});
    if (other.outcome != Outcome::kUndetermined && other.outcome != reading.outcome) {
      return Undecided(reading, UndeterminedReason::kUnreadableAnswer,
                       "the answer contradicts itself: it holds two objects that disagree");
    }
  }
  return reading;
}

}  // namespace

AnswerReading ReadAnswer(const Policy& policy, const AnswerLabels& labels,
                         std::string_view final_text) {
  AnswerReading reading;
  if (final_text.size() > kAnswerBytesMax) {
    return Undecided(reading, UndeterminedReason::kUnreadableAnswer,
                     "the answer is longer than any answer may be");
  }
  std::string_view text = Unwrap(final_text);
  if (const std::optional<std::string_view> after = AfterCue(text)) {
    text = Unwrap(*after);
    if (text.empty() || text.starts_with("{content") || text.starts_with("___") ||
        text.starts_with("[ ]") || text.starts_with("...")) {
      return Undecided(reading, UndeterminedReason::kEchoedCue,
                       "the answer repeats the policy's answer cue and stops; remove the cue from "
                       "the end of the policy");
    }
    reading.notes.emplace_back("the answer repeats the policy's answer cue before its label");
  }
  if (text.empty()) {
    return Undecided(reading, UndeterminedReason::kUnreadableAnswer, "the answer is empty");
  }
  if (const std::optional<LabelAtStart> found = FindLabel(labels, text)) {
    return FromLabel(policy, labels, text, *found, std::move(reading));
  }
  const std::string_view object = FirstObject(text);
  if (!object.empty() && !IsRefusal(text)) {
    const auto after = static_cast<std::size_t>(object.data() + object.size() - text.data());
    return FromJson(policy, labels, object, text.substr(after), std::move(reading));
  }
  return FromProse(text, std::move(reading));
}

AnswerReading ReadJointAnswer(const Policy& policy, const AnswerLabels& labels,
                              std::string_view final_text) {
  AnswerReading reading;
  if (final_text.size() > kAnswerBytesMax) {
    return Undecided(reading, UndeterminedReason::kUnreadableAnswer,
                     "the answer is longer than any answer may be");
  }
  const std::string_view text = Unwrap(final_text);
  const nlohmann::json json = ParseAnswerJson(FirstObject(text));
  if (!json.is_object()) {
    return FromProse(text.empty() ? "-" : text, std::move(reading));
  }
  const auto part = json.find(policy.id);
  if (part == json.end()) {
    return Undecided(reading, UndeterminedReason::kUnreadableAnswer,
                     "the answer about several policies says nothing of this one");
  }
  if (part->is_object()) {
    return FromObject(policy, labels, *part, std::move(reading));
  }
  return ReadAnswer(policy, labels, part->is_string() ? part->get<std::string>() : part->dump());
}

void Fill(AnswerReading reading, moderation::Verdict& verdict) {
  verdict.outcome = reading.outcome;
  verdict.reason = reading.reason;
  verdict.detail = std::move(reading.detail);
  verdict.category = std::move(reading.category);
  verdict.rule_ids = std::move(reading.rule_ids);
  verdict.rationale = std::move(reading.rationale);
  verdict.confidence = std::move(reading.confidence);
  verdict.notes = std::move(reading.notes);
}

}  // namespace safeguard::judges
