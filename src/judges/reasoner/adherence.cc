#include "judges/reasoner/adherence.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "judges/reasoner/answer_json.h"
#include "judges/reasoner/answer_plan.h"
#include "judges/reasoner/answer_text.h"

namespace safeguard::judges {
namespace {

using moderation::Adherence;
using moderation::Outcome;
using moderation::Policy;

enum class Form { kLabel, kLabelWithText, kJson, kJsonWithText, kProse, kNothing };

const char* FormName(Form form) {
  switch (form) {
    case Form::kLabel:
      return "label";
    case Form::kLabelWithText:
      return "label with text";
    case Form::kJson:
      return "json";
    case Form::kJsonWithText:
      return "json with text";
    case Form::kProse:
      return "prose";
    case Form::kNothing:
      return "nothing";
  }
  return "nothing";
}

Form FormOf(const AnswerLabels& labels, std::string_view text, const AnswerReading& reading) {
  if (text.empty()) {
    return Form::kNothing;
  }
  if (ParseAnswerJson(text).is_object()) {
    return Form::kJson;
  }
  if (labels.Find(text)) {
    return Form::kLabel;
  }
  if (!reading.label.empty()) {
    return Form::kLabelWithText;
  }
  return FirstObject(text).empty() ? Form::kProse : Form::kJsonWithText;
}

// The first field that the schema requires and the object lacks; empty when it has them all.
std::string MissingField(const std::string& schema, std::string_view text) {
  const nlohmann::json required =
      nlohmann::json::parse(schema, nullptr, false).value("required", nlohmann::json::array());
  const nlohmann::json object = ParseAnswerJson(text);
  for (const auto& field : required) {
    if (field.is_string() && !object.contains(field.get<std::string>())) {
      return field.get<std::string>();
    }
  }
  return {};
}

std::string FaultOfObject(const AnswerPlan& plan, Form form, std::string_view text) {
  if (form == Form::kJsonWithText) {
    return "text around the JSON";
  }
  if (form != Form::kJson) {
    return std::string(FormName(form)) + " instead of JSON";
  }
  const std::string missing = plan.schema.empty() ? "" : MissingField(plan.schema, text);
  return missing.empty() ? "" : "JSON without " + missing;
}

std::string FaultOfLabel(const AnswerPlan& plan, Form form, std::string_view text) {
  if (form == Form::kLabelWithText) {
    return "text beside the label";
  }
  if (form != Form::kLabel) {
    return std::string(FormName(form)) + " instead of a label";
  }
  const bool own = std::ranges::find(plan.choice, text) != plan.choice.end();
  return own ? "" : "a label that the policy does not offer";
}

}  // namespace

Adherence CheckAdherence(const Policy& policy, const AnswerLabels& labels,
                         std::string_view final_text, const AnswerReading& reading) {
  const AnswerPlan plan = PlanAnswer(policy, labels, AnswerForm::kPolicy);
  const std::string_view text = TrimAnswer(final_text);
  const Form form = FormOf(labels, text, reading);
  Adherence adherence;
  adherence.form = FormName(form);
  if (plan.instruction.empty()) {  // else the policy asks for nothing itself
    adherence.fault =
        plan.choice.empty() ? FaultOfObject(plan, form, text) : FaultOfLabel(plan, form, text);
    adherence.followed = adherence.fault.empty();
  }
  adherence.cited = reading.rule_ids.size() + (reading.category.empty() ? 0 : 1);
  adherence.unknown =
      static_cast<std::size_t>(std::ranges::count_if(reading.notes, [](const std::string& note) {
        return note.find("which is no rule of the policy") != std::string::npos;
      }));
  return adherence;
}

}  // namespace safeguard::judges
