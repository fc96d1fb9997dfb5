#include "moderation/receipt.h"

#include <map>
#include <utility>

#include "moderation/content_json.h"
#include "moderation/json/json_fields.h"

namespace safeguard::moderation {
namespace {

using Values = std::map<std::string, std::string>;

// All digits that the number has.
std::string ScoreText(const std::optional<double>& score) {
  return score ? nlohmann::json(*score).dump() : "none";
}

std::string PathText(const std::vector<LayerStep>& path) {
  std::string text;
  for (const LayerStep& step : path) {
    text += (text.empty() ? "" : " > ") + step.layer + (step.name.empty() ? "" : " " + step.name) +
            " " + ToString(step.outcome) + (step.score ? " " + ScoreText(step.score) : "");
  }
  return text;
}

Values ValuesOf(const VerdictRecord& record) {
  Values values = {{"outcome", ToString(record.outcome)},
                   {"reason", ToString(record.reason)},
                   {"score", ScoreText(record.score)},
                   {"category", record.category},
                   {"rules", ListJson(record.rule_ids)},
                   {"layer", record.layer},
                   {"content", record.content_hash},
                   {"policy", record.policy.hash},
                   {"model", record.model},
                   {"weights", record.model_hash},
                   {"path", PathText(record.provenance.path)}};
  for (const auto& [name, value] : record.provenance.settings) {
    values["settings." + name] = value;
  }
  return values;
}

Values SetupValues(const std::string& setup) {
  Values values;
  const auto object = nlohmann::json::parse(setup.empty() ? "{}" : setup, nullptr, false);
  for (const auto& [part, fields] : object.items()) {
    if (part == "judge") {
      continue;
    }
    if (!fields.is_object()) {
      values[part] = fields.is_string() ? fields.get<std::string>() : fields.dump();
      continue;
    }
    for (const auto& [name, value] : fields.items()) {
      values[part + "." + name] = value.is_string() ? value.get<std::string>() : value.dump();
    }
  }
  return values;
}

std::vector<ReceiptDifference> Compare(const Values& then, const Values& now) {
  Values all = then;
  all.insert(now.begin(), now.end());
  std::vector<ReceiptDifference> differences;
  for (const auto& [name, value] : all) {
    const auto old_value = then.find(name);
    const auto new_value = now.find(name);
    const std::string a = old_value == then.end() ? "" : old_value->second;
    const std::string b = new_value == now.end() ? "" : new_value->second;
    if (a != b) {
      differences.push_back({name, a, b});
    }
  }
  return differences;
}

}  // namespace

std::vector<ReceiptDifference> CompareVerdicts(const VerdictRecord& then,
                                               const VerdictRecord& now) {
  return Compare(ValuesOf(then), ValuesOf(now));
}

std::vector<ReceiptDifference> CompareSetups(const std::string& then, const std::string& now) {
  return Compare(SetupValues(then), SetupValues(now));
}

}  // namespace safeguard::moderation
