#include "apps/commands/eval_data.h"

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "apps/input/dataset_name.h"
#include "apps/output/display_text.h"

namespace safeguard::apps {
namespace {

constexpr std::size_t kLineErrorsShown = 5;
constexpr std::size_t kFirstLineBytesMax = std::size_t{1} << 20;

std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    if (end > begin) {
      parts.push_back(text.substr(begin, end - begin));
    }
    begin = end + 1;
  }
  return parts;
}

// Where a key of --map goes; null when it is not one of a single field.
std::string* FieldOf(const std::string& key, eval::ColumnMapping& mapping) {
  const std::pair<const char*, std::string*> fields[] = {
      {"text", &mapping.text},         {"messages", &mapping.messages},
      {"prompt", &mapping.prompt},     {"response", &mapping.response},
      {"label", &mapping.label},       {"id", &mapping.id},
      {"rules", &mapping.rules},       {"surface", &mapping.surface},
      {"language", &mapping.language}, {"tags", &mapping.tags}};
  for (const auto& [name, field] : fields) {
    if (key == name) {
      return field;
    }
  }
  return nullptr;
}

Status TakePair(const std::string& pair, eval::ColumnMapping& mapping) {
  const std::size_t at = pair.find('=');
  const std::string key = pair.substr(0, at);
  const std::string field = at == std::string::npos ? "" : pair.substr(at + 1);
  if (field.empty()) {
    return Fail(ErrorCode::kInvalidInput, "--map " + pair + " names no field",
                "write KEY=FIELD, as in --map text=body,label=is_bad");
  }
  if (key == "labels") {
    mapping.label_columns.push_back(field);
    return {};
  }
  if (key == "slice") {
    mapping.tag_columns.push_back(field);
    return {};
  }
  std::string* place = FieldOf(key, mapping);
  if (place == nullptr) {
    return Fail(ErrorCode::kInvalidInput, "--map knows no \"" + key + "\"",
                "it knows text, messages, prompt, response, label, labels, id, rules, surface, "
                "language, tags and slice");
  }
  if (!place->empty()) {
    return Fail(ErrorCode::kInvalidInput, "--map names the field of " + key + " twice",
                "leave one out");
  }
  *place = field;
  return {};
}

// In a file of recorded answers the response is the judge's, not part of the content.
void LeaveAnswersOut(const std::string& path, eval::ColumnMapping& mapping) {
  std::ifstream in(path, std::ios::binary);
  std::string line(kFirstLineBytesMax, '\0');
  in.read(line.data(), static_cast<std::streamsize>(line.size()));
  line.resize(static_cast<std::size_t>(in.gcount()));
  line.resize(std::min(line.find('\n'), line.size()));
  const nlohmann::json first = nlohmann::json::parse(line, nullptr, false);
  const bool named = !mapping.text.empty() || !mapping.messages.empty() || !mapping.prompt.empty();
  if (named || !first.is_object()) {
    return;
  }
  for (const char* name : {"text", "content", "messages"}) {
    if (first.contains(name)) {
      return;
    }
  }
  if (first.contains("prompt")) {
    mapping.prompt = "prompt";
  }
}

}  // namespace

Result<eval::ColumnMapping> MappingOf(const EvalArguments& arguments) {
  eval::ColumnMapping mapping;
  mapping.text = arguments.text_field;
  mapping.label = arguments.label_field;
  mapping.positive_values = arguments.positive_labels;
  for (const std::string& map : arguments.map) {
    for (const std::string& pair : Split(map, ',')) {
      if (const Status taken = TakePair(pair, mapping); !taken) {
        return std::unexpected(taken.error());
      }
    }
  }
  for (const std::string& value : Split(arguments.positive, ',')) {
    mapping.positive_values.push_back(value);
  }
  mapping.negative_values = Split(arguments.negative, ',');
  return mapping;
}

std::string MappingText(const EvalArguments& arguments) {
  std::string text = "format=" + arguments.format;
  const auto add = [&text](const char* name, const std::string& value) {
    if (!value.empty()) {
      text += std::string(" ") + name + "=" + value;
    }
  };
  for (const std::string& map : arguments.map) {
    add("map", map);
  }
  add("text-field", arguments.text_field);
  add("label-field", arguments.label_field);
  add("positive", arguments.positive);
  for (const std::string& label : arguments.positive_labels) {
    add("positive-label", label);
  }
  add("negative", arguments.negative);
  add("complete-labels", arguments.complete_labels ? "yes" : "");
  return text;
}

Result<eval::Dataset> LoadEvalData(const EvalArguments& arguments) {
  const bool answers_alone = arguments.data.empty();
  const std::string& path = answers_alone ? arguments.judge.recorded : arguments.data;
  Result<std::string> name = arguments.format != "auto" ? Result<std::string>(arguments.format)
                             : answers_alone            ? Result<std::string>("generic")
                                                        : GuessDatasetName(path);
  if (!name) {
    return std::unexpected(name.error());
  }
  Result<eval::ColumnMapping> mapping = MappingOf(arguments);
  if (!mapping) {
    return std::unexpected(mapping.error());
  }
  eval::ReadOptions options;
  options.mapping = std::move(*mapping);
  if (answers_alone) {
    LeaveAnswersOut(path, options.mapping);
  }
  return eval::LoadDataset(*name, path, options);
}

void ReportLineErrors(const eval::Dataset& data, Console& console) {
  const std::size_t shown = std::min(data.errors.size(), kLineErrorsShown);
  for (std::size_t i = 0; i < shown; ++i) {
    console.Error("safeguard: " + Printable(data.path + ": " + Describe(data.errors[i])) + "\n");
  }
  if (data.error_count > shown) {
    console.Error(fmt::format("safeguard: and {} more lines that cannot be read\n",
                              data.error_count - shown));
  }
}

std::string DatasetList(std::size_t columns) {
  const std::size_t width = std::min<std::size_t>(std::max<std::size_t>(columns, 60), 100);
  std::string text = "Formats of labelled data (--format NAME; `auto` looks at the file)\n";
  for (const eval::DatasetKind& kind : eval::DatasetKinds()) {
    text += "\n" + std::string(kind.name) + "\n";
    text += Wrap(kind.what, width, 4) + Wrap("file: " + std::string(kind.shape), width, 4) +
            Wrap("labels: " + std::string(kind.labels), width, 4);
  }
  return text + "\nEvery set is read from a file or folder of yours: none is shipped or fetched.\n";
}

}  // namespace safeguard::apps
