#include "eval/golden_set.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "eval/dataset.h"

namespace safeguard::eval {
namespace {

using moderation::GoldenCase;
using nlohmann::ordered_json;

Result<std::vector<GoldenCase>> ReadAll(RecordReader& reader, const std::string& name) {
  std::vector<GoldenCase> cases;
  std::set<std::string> ids;
  while (std::optional<Entry> entry = reader.Next()) {
    if (!entry->record) {
      Error error = entry->record.error();
      error.message = name + ", " + error.message;
      return std::unexpected(std::move(error));
    }
    std::optional<GoldenCase> golden = ToGoldenCase(*entry->record);
    const std::string line = name + ", line " + std::to_string(entry->line);
    if (!golden) {
      return Fail(ErrorCode::kInvalidInput, line + ": the case does not say what is expected",
                  "add \"expected\": \"violation\" or \"safe\"");
    }
    if (!golden->content.id.empty() && !ids.insert(golden->content.id).second) {
      return Fail(ErrorCode::kInvalidInput,
                  line + ": the id \"" + golden->content.id + "\" stands twice",
                  "give every case its own id");
    }
    cases.push_back(std::move(*golden));
  }
  if (cases.empty()) {
    return Fail(ErrorCode::kInvalidInput, name + " holds no cases");
  }
  return cases;
}

}  // namespace

std::optional<GoldenCase> ToGoldenCase(const Record& record) {
  if (!record.expected) {
    return std::nullopt;
  }
  return GoldenCase{.content = record.content,
                    .expected = *record.expected,
                    .rule_ids = record.rule_ids,
                    .label = record.label,
                    .tags = record.tags};
}

Record FromGoldenCase(const GoldenCase& golden) {
  Record record;
  record.content = golden.content;
  record.expected = golden.expected;
  record.rule_ids = golden.rule_ids;
  record.label = golden.label;
  record.tags = golden.tags;
  return record;
}

std::string RecordName(const Record& record) {
  return record.content.id.empty() ? "line " + std::to_string(record.line) : record.content.id;
}

Result<std::vector<GoldenCase>> ReadGoldenSet(const std::string& path) {
  auto reader = OpenRecords(path, {.format = DataFormat::kJsonl});
  if (!reader) {
    return std::unexpected(reader.error());
  }
  return ReadAll(**reader, path);
}

Result<std::vector<GoldenCase>> ReadGoldenSet(std::istream& in, const std::string& name) {
  auto reader = ReadRecords(in, name, {.format = DataFormat::kJsonl});
  if (!reader) {
    return std::unexpected(reader.error());
  }
  return ReadAll(**reader, name);
}

std::string GoldenLine(const GoldenCase& golden) {
  ordered_json line;
  if (!golden.content.id.empty()) {
    line["id"] = golden.content.id;
  }
  if (golden.content.kind == moderation::ContentKind::kUserMessage &&
      golden.content.messages.size() == 1) {
    line["text"] = golden.content.messages.front().text;
  } else {
    line["messages"] = ordered_json::array();
    for (const moderation::Message& message : golden.content.messages) {
      line["messages"].push_back(
          {{"role", moderation::ToString(message.role)}, {"content", message.text}});
    }
  }
  line["expected"] = moderation::ToString(golden.expected);
  const auto add = [&line](const char* name, const auto& value) {
    if (!value.empty()) {
      line[name] = value;
    }
  };
  add("rules", golden.rule_ids);
  add("label", golden.label);
  add("surface", golden.content.surface);
  add("language", golden.content.language);
  add("tags", golden.tags);
  return line.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace safeguard::eval
