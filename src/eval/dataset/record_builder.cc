#include "eval/dataset/record_builder.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "eval/dataset/json_line.h"
#include "eval/dataset/label_values.h"
#include "eval/dataset/messages.h"
#include "eval/severity.h"

namespace safeguard::eval {
namespace {

using moderation::ContentKind;
using moderation::Outcome;
using moderation::Role;
using nlohmann::json;

std::unexpected<Error> NoField(const std::string& name, const Fields& fields) {
  return Fail(ErrorCode::kInvalidInput, "there is no field \"" + name + "\"",
              "the fields are " + fields.Describe());
}

// A text, or a number as it is written.
Result<std::string> ReadText(const json& value, std::string_view name) {
  if (value.is_string()) {
    return value.get<std::string>();
  }
  if (value.is_number()) {
    return value.dump();
  }
  return Fail(ErrorCode::kInvalidInput,
              "the field \"" + std::string(name) + "\" is " + value.type_name() + ", not a text");
}

// A list of texts, or one text of items separated by , ; or |.
std::vector<std::string> ReadList(const json& value) {
  std::vector<std::string> items;
  const auto add = [&items](std::string_view item) {
    const std::size_t begin = item.find_first_not_of(" \t\r\n");
    if (begin != std::string_view::npos) {
      items.emplace_back(item.substr(begin, item.find_last_not_of(" \t\r\n") + 1 - begin));
    }
  };
  if (value.is_array()) {
    for (const json& item : value) {
      add(LabelText(item));
    }
    return items;
  }
  const std::string text = LabelText(value);
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find_first_of(",;|", begin), text.size());
    add(std::string_view(text).substr(begin, end - begin));
    begin = end + 1;
  }
  return items;
}

// The mapped field, else the first of the usual ones; nothing when neither is there or it is null.
const json* Choose(const Fields& fields, const std::string& mapped,
                   std::span<const std::string_view> usual) {
  if (!mapped.empty()) {
    const json* value = fields.Find(mapped);
    return value == nullptr || value->is_null() ? nullptr : value;
  }
  const Field* field = fields.FindFirst(usual);
  return field == nullptr ? nullptr : field->value;
}

bool IsEmptyText(const json& value) {
  return value.is_string() &&
         value.get_ref<const std::string&>().find_first_not_of(" \t\r\n") == std::string::npos;
}

Status SetSingle(const json& value, std::string_view name, bool completion, Record& record) {
  Result<std::string> text = ReadText(value, name);
  if (!text) {
    return std::unexpected(text.error());
  }
  record.content = completion ? moderation::Completion(std::move(*text))
                              : moderation::UserMessage(std::move(*text));
  return {};
}

bool LooksLikeList(const json& value) {
  return value.is_array() ||
         (value.is_string() && value.get_ref<const std::string&>().starts_with('['));
}

}  // namespace

Error AtLine(std::size_t line, Error error) {
  error.message = "line " + std::to_string(line) + ": " + error.message;
  return error;
}

Result<Record> RecordBuilder::Build(const json& object, std::size_t line) const {
  const Fields fields(object);
  Record record;
  record.line = line;
  Status status = ReadContent(fields, record);
  if (status && mapping_.read_labels) {
    status = ReadLabels(fields, record);
  }
  if (!status) {
    return std::unexpected(AtLine(line, std::move(status.error())));
  }
  const json* id = mapping_.id == kNoField ? nullptr : Choose(fields, mapping_.id, IdNames());
  if (id != nullptr) {
    record.content.id = LabelText(*id);
  }
  if (const json* surface = Choose(fields, mapping_.surface, SurfaceNames())) {
    record.content.surface = LabelText(*surface);
  }
  if (const json* language = Choose(fields, mapping_.language, LanguageNames())) {
    record.content.language = LabelText(*language);
  }
  if (const json* rules = Choose(fields, mapping_.rules, RuleNames())) {
    record.rule_ids = ReadList(*rules);
  }
  if (const json* tags = Choose(fields, mapping_.tags, TagNames())) {
    record.tags = ReadList(*tags);
  }
  for (const std::string& column : mapping_.tag_columns) {
    const json* value = fields.Find(column);
    if (value != nullptr && !IsEmptyText(*value) && !value->is_null()) {
      record.tags.push_back(column + ":" + LabelText(*value));
    }
  }
  return record;
}

Status RecordBuilder::CheckColumns(const std::vector<std::string>& columns,
                                   std::size_t line) const {
  json probe = json::object();
  for (const std::string& column : columns) {
    probe[column] = "text";
  }
  const Fields fields(probe);
  std::vector<std::string> named = {mapping_.text,     mapping_.messages, mapping_.prompt,
                                    mapping_.response, mapping_.id,       mapping_.rules,
                                    mapping_.surface,  mapping_.language, mapping_.tags};
  if (mapping_.read_labels) {
    named.push_back(mapping_.label);
    named.insert(named.end(), mapping_.label_columns.begin(), mapping_.label_columns.end());
  }
  named.insert(named.end(), mapping_.tag_columns.begin(), mapping_.tag_columns.end());
  Status status;
  for (const std::string& name : named) {
    if (status && !name.empty() && name != kNoField && fields.Find(name) == nullptr) {
      status = NoField(name, fields);
    }
  }
  if (status && mapping_.messages.empty()) {
    Record ignored;
    status = ReadContent(fields, ignored);
  }
  return status ? status : std::unexpected(AtLine(line, std::move(status.error())));
}

bool RecordBuilder::UseMessages(const Fields& fields, const json** value) const {
  if (!mapping_.messages.empty()) {
    *value = fields.Find(mapping_.messages);
    return true;
  }
  const Field* field = fields.FindFirst(MessagesNames());
  *value = field == nullptr ? nullptr : field->value;
  return field != nullptr && LooksLikeList(*field->value);
}

Status RecordBuilder::ReadContent(const Fields& fields, Record& record) const {
  if (!mapping_.text.empty()) {
    const json* value = fields.Find(mapping_.text);
    return value == nullptr ? Status(NoField(mapping_.text, fields))
                            : SetSingle(*value, mapping_.text, false, record);
  }
  if (!mapping_.prompt.empty() || !mapping_.response.empty()) {
    return ReadPair(fields, record);
  }
  const json* messages = nullptr;
  if (UseMessages(fields, &messages)) {
    return messages == nullptr ? Status(NoField(mapping_.messages, fields))
                               : ReadMessages(*messages, record);
  }
  if (const Field* text = fields.FindFirst(TextNames())) {
    return SetSingle(*text->value, text->name, false, record);
  }
  if (fields.FindFirst(PromptNames()) != nullptr) {
    return ReadPair(fields, record);
  }
  const Field* text = fields.FindFirst(LateTextNames());
  if (text == nullptr && fields.FindFirst(ResponseNames()) != nullptr) {
    return ReadPair(fields, record);
  }
  if (text == nullptr) {
    text = fields.FindOnlyTextLike();
  }
  if (text == nullptr) {
    text = fields.FindFirst(MessagesNames());
  }
  if (text == nullptr) {
    return Fail(ErrorCode::kInvalidInput,
                "no field looks like content (text, content, messages, prompt, ...)",
                "name the one to judge; the fields are " + fields.Describe());
  }
  return SetSingle(*text->value, text->name, false, record);
}

Status RecordBuilder::ReadMessages(const json& value, Record& record) const {
  json parsed;
  if (value.is_string()) {
    Result<json> list = ParseJson(value.get_ref<const std::string&>());
    if (!list) {
      return std::unexpected(list.error());
    }
    parsed = std::move(*list);
  }
  Result<std::vector<moderation::Message>> messages =
      ReadChatMessages(value.is_string() ? parsed : value);
  if (!messages) {
    return std::unexpected(messages.error());
  }
  const bool single = messages->size() == 1;
  const Role first = messages->front().role;
  record.content.kind = single && first == Role::kUser        ? ContentKind::kUserMessage
                        : single && first == Role::kAssistant ? ContentKind::kCompletion
                                                              : ContentKind::kConversation;
  record.content.messages = std::move(*messages);
  return {};
}

// A prompt alone is a user message, a response alone a completion, both a conversation.
Status RecordBuilder::ReadPair(const Fields& fields, Record& record) const {
  const bool prompt_only = !mapping_.prompt.empty() && mapping_.response.empty();
  const bool response_only = mapping_.prompt.empty() && !mapping_.response.empty();
  const json* prompt = response_only ? nullptr : Choose(fields, mapping_.prompt, PromptNames());
  const json* response = prompt_only ? nullptr : Choose(fields, mapping_.response, ResponseNames());
  if (prompt == nullptr && response == nullptr) {
    return NoField(mapping_.prompt.empty() ? mapping_.response : mapping_.prompt, fields);
  }
  if (prompt == nullptr) {
    return SetSingle(*response, "response", true, record);
  }
  if (response == nullptr || IsEmptyText(*response)) {
    return SetSingle(*prompt, "prompt", false, record);
  }
  Result<std::string> asked = ReadText(*prompt, "prompt");
  Result<std::string> answered = ReadText(*response, "response");
  if (!asked || !answered) {
    return std::unexpected(asked ? answered.error() : asked.error());
  }
  record.content.kind = ContentKind::kConversation;
  record.content.messages.push_back({.role = Role::kUser, .text = std::move(*asked)});
  record.content.messages.push_back({.role = Role::kAssistant, .text = std::move(*answered)});
  return {};
}

Status RecordBuilder::ReadLabelColumns(const Fields& fields, Record& record) const {
  for (const std::string& column : mapping_.label_columns) {
    const json* value = fields.Find(column);
    Result<std::optional<bool>> label =
        value == nullptr ? std::optional<bool>() : ReadLabel(*value, mapping_);
    if (!label) {
      Error error = label.error();
      error.message += " (field \"" + column + "\")";
      return std::unexpected(std::move(error));
    }
    record.labels.push_back({.name = column, .positive = *label});
    if (label->value_or(false)) {
      record.label += (record.label.empty() ? "" : ",") + column;
    }
  }
  std::optional<bool> any = AnyPositive(record.labels);
  if (!any && mapping_.missing_label_is_negative) {
    any = false;
  }
  if (any) {
    record.expected = *any ? Outcome::kViolation : Outcome::kSafe;
  }
  return {};
}

Status RecordBuilder::ReadLabels(const Fields& fields, Record& record) const {
  if (!mapping_.label_columns.empty()) {
    return ReadLabelColumns(fields, record);
  }
  const json* value = Choose(fields, mapping_.label, LabelNames());
  bool inverted = false;
  if (value == nullptr && mapping_.label.empty()) {
    value = Choose(fields, {}, SafeLabelNames());
    inverted = value != nullptr;
  }
  if (value == nullptr) {
    return {};
  }
  Result<std::optional<bool>> positive = ReadLabel(*value, mapping_);
  if (!positive) {
    Error error = positive.error();
    error.message += mapping_.label.empty() ? "" : " (field \"" + mapping_.label + "\")";
    return std::unexpected(std::move(error));
  }
  if (positive->has_value()) {
    record.expected = **positive != inverted ? Outcome::kViolation : Outcome::kSafe;
  }
  if (value->is_object()) {
    for (const auto& [name, item] : value->items()) {
      record.labels.push_back({.name = name, .positive = *ReadLabel(item, mapping_)});
    }
  }
  // A golden case says both what is expected and its raw label, such as a level.
  const json* raw = mapping_.label.empty() ? fields.Find("label") : nullptr;
  record.label = LabelText(raw != nullptr && !raw->is_null() ? *raw : *value);
  record.level = SeverityOf(record.label);
  return {};
}

}  // namespace safeguard::eval
