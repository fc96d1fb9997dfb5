#include "eval/dataset/field_names.h"

#include <algorithm>
#include <array>

namespace safeguard::eval {
namespace {

using Names = std::string_view;

constexpr auto kText = std::to_array<Names>({"text", "content", "content_text"});
constexpr auto kLateText = std::to_array<Names>(
    {"message", "body",      "comment",   "comment_text", "review",       "review_text", "input",
     "post",    "post_text", "tweet",     "sentence",     "utterance",    "query",       "question",
     "data",    "example",   "test_case", "user_input",   "user_message", "value"});
constexpr auto kMessages = std::to_array<Names>(
    {"messages", "conversation", "conversations", "dialog", "dialogue", "chat", "turns"});
constexpr auto kPrompt = std::to_array<Names>(
    {"prompt", "user_prompt", "user_input", "instruction", "question", "example_prompt"});
constexpr auto kResponse = std::to_array<Names>({"response", "completion", "model_output",
                                                 "assistant_response", "model_response", "answer",
                                                 "responses", "generation", "example_generation"});
constexpr auto kLabel = std::to_array<Names>({"expected",
                                              "expected_outcome",
                                              "expected_triggers",
                                              "label",
                                              "gold",
                                              "gold_label",
                                              "label_gold",
                                              "golden_label",
                                              "true_label",
                                              "ground_truth",
                                              "outcome",
                                              "violation",
                                              "is_violation",
                                              "violating",
                                              "violates",
                                              "violated",
                                              "toxic",
                                              "is_toxic",
                                              "toxicity",
                                              "spam",
                                              "is_spam",
                                              "class",
                                              "classification",
                                              "labels",
                                              "unsafe",
                                              "is_unsafe",
                                              "harmful",
                                              "is_harmful",
                                              "hateful",
                                              "is_hateful",
                                              "abusive",
                                              "flagged",
                                              "response_harmful",
                                              "y"});
constexpr auto kSafeLabel = std::to_array<Names>({"is_safe", "safe", "is_valid", "is_benign"});
constexpr auto kId = std::to_array<Names>(
    {"id", "custom_id", "case_id", "item_id", "comment_id", "message_id", "uuid", "uid", "key"});
constexpr auto kRules =
    std::to_array<Names>({"rules", "rule_ids", "rule", "rule_id", "expected_rules", "clauses"});
constexpr auto kSurface = std::to_array<Names>({"surface", "channel", "content_type"});
constexpr auto kLanguage = std::to_array<Names>({"language", "lang", "locale", "content_language"});
constexpr auto kTags = std::to_array<Names>({"tags", "tag"});

constexpr auto kTextWords =
    std::to_array<Names>({"text", "content", "message", "comment", "prompt", "prompts", "review"});
constexpr std::size_t kNamesDescribedMax = 20;

bool HasTextWord(std::string_view name) {
  std::size_t begin = 0;
  while (begin <= name.size()) {
    const std::size_t end = std::min(name.find('_', begin), name.size());
    if (std::ranges::find(kTextWords, name.substr(begin, end - begin)) != kTextWords.end()) {
      return true;
    }
    begin = end + 1;
  }
  return false;
}

}  // namespace

std::span<const std::string_view> TextNames() {
  return kText;
}
std::span<const std::string_view> LateTextNames() {
  return kLateText;
}
std::span<const std::string_view> MessagesNames() {
  return kMessages;
}
std::span<const std::string_view> PromptNames() {
  return kPrompt;
}
std::span<const std::string_view> ResponseNames() {
  return kResponse;
}
std::span<const std::string_view> LabelNames() {
  return kLabel;
}
std::span<const std::string_view> SafeLabelNames() {
  return kSafeLabel;
}
std::span<const std::string_view> IdNames() {
  return kId;
}
std::span<const std::string_view> RuleNames() {
  return kRules;
}
std::span<const std::string_view> SurfaceNames() {
  return kSurface;
}
std::span<const std::string_view> LanguageNames() {
  return kLanguage;
}
std::span<const std::string_view> TagNames() {
  return kTags;
}

std::string NormalFieldName(std::string_view name) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = name.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) {
    return {};
  }
  name = name.substr(begin, name.find_last_not_of(kSpace) + 1 - begin);
  std::string normal(name);
  for (char& c : normal) {
    if (c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c - 'A' + 'a');
    } else if (c == '-' || kSpace.find(c) != std::string_view::npos) {
      c = '_';
    }
  }
  return normal;
}

Fields::Fields(const nlohmann::json& object) {
  for (const auto& [name, value] : object.items()) {
    fields_.push_back({NormalFieldName(name), &value});
    written_.push_back(name);
  }
}

const nlohmann::json* Fields::Find(std::string_view name) const {
  const std::string normal = NormalFieldName(name);
  const auto found = std::ranges::find(fields_, normal, &Field::name);
  return found == fields_.end() ? nullptr : found->value;
}

const Field* Fields::FindFirst(std::span<const std::string_view> names) const {
  for (const std::string_view name : names) {
    const auto found = std::ranges::find_if(fields_, [name](const Field& field) {
      return field.name == name && !field.value->is_null();
    });
    if (found != fields_.end()) {
      return &*found;
    }
  }
  return nullptr;
}

const Field* Fields::FindOnlyTextLike() const {
  const Field* only = nullptr;
  for (const Field& field : fields_) {
    if (field.value->is_string() && HasTextWord(field.name)) {
      if (only != nullptr) {
        return nullptr;
      }
      only = &field;
    }
  }
  return only;
}

std::string Fields::Describe() const {
  std::string names;
  for (std::size_t i = 0; i < written_.size(); ++i) {
    if (i == kNamesDescribedMax) {
      return names + ", ... (" + std::to_string(written_.size()) + " in all)";
    }
    names += (i == 0 ? "\"" : ", \"") + written_[i].substr(0, 60) + "\"";
  }
  return names.empty() ? "none" : names;
}

}  // namespace safeguard::eval
