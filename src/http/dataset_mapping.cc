#include "http/dataset_mapping.h"

#include <algorithm>
#include <utility>

#include "http/domain_json.h"
#include "http/json_fields.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::ordered_json;

// What contradicts itself, whatever the data are.
void Check(const DatasetMapping& mapping, Fields& fields) {
  const auto has = [&](const char* name) { return mapping.fields.contains(name); };
  for (const std::string& value : mapping.negative) {
    if (std::ranges::find(mapping.positive, value) != mapping.positive.end()) {
      fields.Fault("negative", "holds \"" + value + "\", which \"positive\" holds too",
                   "a label means either: leave one out");
    }
  }
  if (has("text") && (has("messages") || has("prompt") || has("response"))) {
    fields.Fault("text", "is not all that names the content",
                 "give text alone, messages alone, or prompt and response");
  }
  if (has("messages") && (has("prompt") || has("response"))) {
    fields.Fault("messages", "is not all that names the content",
                 "give text alone, messages alone, or prompt and response");
  }
  if (has("label") && !mapping.labels.empty()) {
    fields.Fault("labels", "is there beside \"label\"", "name one label, or several in labels");
  }
}

}  // namespace

OrProblem<DatasetMapping> ReadDatasetMapping(std::string_view json) {
  DatasetMapping mapping;
  if (json.empty()) {
    return mapping;
  }
  if (json.size() > kMappingBytesMax) {
    return std::unexpected(Problem{400, "invalid-request", "\"mapping\" is longer than 8192 bytes",
                                   "name fewer fields", "/mapping"});
  }
  OrProblem<nlohmann::json> object = ParseObject(json);
  if (!object) {
    Problem problem = std::move(object.error());
    problem.detail = "of \"mapping\": " + problem.detail;
    problem.hint = R"(give a JSON object, as in {"text": "body", "label": "is_bad"})";
    problem.pointer = "/mapping";
    return std::unexpected(std::move(problem));
  }
  Fields fields(*object, "/mapping");
  for (const char* name : kMappedFields) {
    if (std::string field = fields.Text(name, kNameBytesMax); !field.empty()) {
      mapping.fields[name] = std::move(field);
    }
  }
  mapping.labels = fields.Names("labels", kMappingNamesMax);
  mapping.slices = fields.Names("slices", kMappingNamesMax);
  mapping.positive = fields.Names("positive", kMappingNamesMax);
  mapping.negative = fields.Names("negative", kMappingNamesMax);
  Check(mapping, fields);
  if (std::optional<Problem> problem = fields.End()) {
    return std::unexpected(std::move(*problem));
  }
  return mapping;
}

std::string DatasetMappingText(const DatasetMapping& mapping) {
  if (mapping.empty()) {
    return "";
  }
  Json json = Json::object();
  for (const char* name : kMappedFields) {
    if (const auto field = mapping.fields.find(name); field != mapping.fields.end()) {
      json[name] = field->second;
    }
  }
  const std::pair<const char*, const std::vector<std::string>*> lists[] = {
      {"labels", &mapping.labels},
      {"slices", &mapping.slices},
      {"positive", &mapping.positive},
      {"negative", &mapping.negative}};
  for (const auto& [name, list] : lists) {
    if (!list->empty()) {
      json[name] = *list;
    }
  }
  return JsonLine(json);
}

}  // namespace safeguard::http
