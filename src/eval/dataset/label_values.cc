#include "eval/dataset/label_values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <span>
#include <vector>

namespace safeguard::eval {
namespace {

using Word = std::string_view;
using Label = Result<std::optional<bool>>;

constexpr auto kPositive = std::to_array<Word>(
    {"true",      "yes",      "y",         "t",         "violation",  "violating",
     "violates",  "violated", "violative", "unsafe",    "invalid",    "toxic",
     "spam",      "harmful",  "hate",      "hateful",   "abusive",    "abuse",
     "offensive", "flagged",  "flag",      "block",     "blocked",    "reject",
     "rejected",  "positive", "malicious", "injection", "jailbreak",  "scam",
     "fraud",     "phishing", "fake",      "deceptive", "disallowed", "prohibited"});
constexpr auto kNegative = std::to_array<Word>(
    {"false",  "no",        "n",          "f",        "safe",     "valid",      "ham",
     "benign", "clean",     "unharmful",  "harmless", "normal",   "ok",         "okay",
     "allow",  "allowed",   "pass",       "passed",   "negative", "compliant",  "legitimate",
     "legit",  "permitted", "acceptable", "truthful", "genuine",  "inoffensive"});
constexpr auto kUnknown =
    std::to_array<Word>({"", "missing", "null", "none", "nan", "n/a", "na", "unknown", "unlabelled",
                         "unlabeled", "?", "-", "undetermined", "unsure"});
constexpr std::string_view kSeparators = ",;|+";
constexpr std::string_view kMapHint =
    "name the values that mean a violation (positive values) and those that mean safe (negative "
    "values), or a threshold for numbers";

template <std::size_t kSize>
bool IsOneOf(const std::array<Word, kSize>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

// Lower case, trimmed; "_" and inner "-" stay.
std::string NormalValue(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) {
    return {};
  }
  std::string normal(text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin));
  std::ranges::transform(normal, normal.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return normal;
}

std::optional<double> ReadNumber(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsLetter(char c) {
  return c >= 'a' && c <= 'z';
}

// "sp2", "d-sp0", "label_1", "sp2.a": letters, then a number, then perhaps a sub-rule. Violating
// above 0.
std::optional<bool> ReadLevel(std::string_view word) {
  word = word.substr(0, word.find('.'));
  std::size_t digits = word.size();
  while (digits > 0 && IsDigit(word[digits - 1])) {
    --digits;
  }
  const bool shaped =
      digits > 0 && digits < word.size() && IsLetter(word.front()) &&
      std::ranges::all_of(
          word.substr(0, digits), [](char c) { return IsLetter(c) || c == '-' || c == '_'; });
  if (!shaped) {
    return std::nullopt;
  }
  return word.find_first_not_of('0', digits) != std::string_view::npos;
}

// "not-hate", "non_toxic", "noHate", "not spam": the other side of a violating word.
bool NegatesPositive(std::string_view word) {
  for (const std::string_view prefix : {"not", "non", "no"}) {
    if (word.starts_with(prefix)) {
      std::string_view rest = word.substr(prefix.size());
      rest.remove_prefix(std::min(rest.find_first_not_of(" -_"), rest.size()));
      if (IsOneOf(kPositive, rest)) {
        return true;
      }
    }
  }
  return false;
}

Label NotUnderstood(std::string_view value) {
  return Fail(ErrorCode::kInvalidInput,
              "the label \"" + std::string(value.substr(0, 80)) +
                  "\" is not known to mean a violation or safe",
              std::string(kMapHint));
}

Label ReadNumberLabel(double number, std::string_view written, const ColumnMapping& mapping) {
  if (mapping.label_threshold) {
    return number >= *mapping.label_threshold;
  }
  if (number == 0.0 || number == 1.0) {
    return number == 1.0;
  }
  return NotUnderstood(written);
}

bool Holds(const std::vector<std::string>& values, const std::string& word) {
  return std::ranges::any_of(values,
                             [&word](const std::string& v) { return NormalValue(v) == word; });
}

Label ReadMapped(const std::string& word, std::string_view written, const ColumnMapping& mapping) {
  const bool positive = Holds(mapping.positive_values, word);
  const bool negative = Holds(mapping.negative_values, word);
  if (positive != negative) {
    return positive;
  }
  if (positive || (!mapping.positive_values.empty() && !mapping.negative_values.empty())) {
    return NotUnderstood(written);
  }
  return mapping.positive_values.empty();  // only one side was named: this is the other
}

Label ReadWord(std::string_view written, const ColumnMapping& mapping) {
  const std::string word = NormalValue(written);
  const bool mapped = !mapping.positive_values.empty() || !mapping.negative_values.empty();
  if (mapped && (Holds(mapping.positive_values, word) || Holds(mapping.negative_values, word))) {
    return ReadMapped(word, written, mapping);
  }
  if (IsOneOf(kUnknown, word)) {
    return std::optional<bool>();
  }
  if (mapped) {
    return ReadMapped(word, written, mapping);
  }
  if (const std::optional<double> number = ReadNumber(word)) {
    return ReadNumberLabel(*number, written, mapping);
  }
  if (IsOneOf(kPositive, word)) {
    return true;
  }
  if (IsOneOf(kNegative, word) || NegatesPositive(word)) {
    return false;
  }
  if (const std::optional<bool> level = ReadLevel(word)) {
    return *level;
  }
  return NotUnderstood(written);
}

Label Combine(std::span<const Label> parts) {
  bool all_known = !parts.empty();
  bool any_positive = false;
  for (const Label& part : parts) {
    if (!part) {
      return part;
    }
    all_known = all_known && part->has_value();
    any_positive = any_positive || part->value_or(false);
  }
  if (any_positive) {
    return true;
  }
  return all_known ? std::optional(false) : std::nullopt;
}

Label ReadText(std::string_view text, const ColumnMapping& mapping) {
  Label whole = ReadWord(text, mapping);
  const bool several = text.find_first_of(kSeparators) != std::string_view::npos;
  const bool mapped = !mapping.positive_values.empty() || !mapping.negative_values.empty();
  if (whole || !several || mapped) {
    return whole;
  }
  std::vector<Label> parts;
  std::size_t begin = 0;
  bool any_understood = false;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find_first_of(kSeparators, begin), text.size());
    Label part = ReadWord(text.substr(begin, end - begin), mapping);
    // "INVALID+ESCALATE": one part that is understood carries the others along.
    if (part) {
      any_understood = any_understood || part->has_value();
      parts.push_back(std::move(part));
    }
    begin = end + 1;
  }
  Label combined = Combine(parts);
  const bool sure = any_understood && combined && *combined == true;
  const std::size_t count = 1 + static_cast<std::size_t>(std::ranges::count_if(text, [](char c) {
                              return kSeparators.find(c) != std::string_view::npos;
                            }));
  return sure || parts.size() == count ? combined : NotUnderstood(text);
}

}  // namespace

Result<std::optional<bool>> ReadLabel(const nlohmann::json& value, const ColumnMapping& mapping) {
  switch (value.type()) {
    case nlohmann::json::value_t::null:
      return std::optional<bool>();
    case nlohmann::json::value_t::boolean:
      if (!mapping.positive_values.empty() || !mapping.negative_values.empty()) {
        return ReadWord(value.get<bool>() ? "true" : "false", mapping);
      }
      return value.get<bool>();
    case nlohmann::json::value_t::number_integer:
    case nlohmann::json::value_t::number_unsigned:
    case nlohmann::json::value_t::number_float:
      return ReadWord(value.dump(), mapping);
    case nlohmann::json::value_t::string:
      return ReadText(value.get_ref<const std::string&>(), mapping);
    case nlohmann::json::value_t::array:
    case nlohmann::json::value_t::object: {
      std::vector<Label> parts;
      for (const nlohmann::json& part : value) {
        parts.push_back(part.is_structured() ? NotUnderstood("a list inside a list")
                                             : ReadLabel(part, mapping));
      }
      return Combine(parts);
    }
    default:
      return NotUnderstood("binary data");
  }
}

std::optional<bool> AnyPositive(const std::vector<LabelValue>& labels) {
  bool all_known = !labels.empty();
  for (const LabelValue& label : labels) {
    if (label.positive.value_or(false)) {
      return true;
    }
    all_known = all_known && label.positive.has_value();
  }
  return all_known ? std::optional(false) : std::nullopt;
}

std::string LabelText(const nlohmann::json& value) {
  if (value.is_null()) {
    return {};
  }
  return value.is_string() ? value.get<std::string>()
                           : value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace safeguard::eval
