#include "moderation/policy/fields.h"

#include <algorithm>
#include <array>
#include <span>

#include "moderation/policy/scan.h"
#include "moderation/policy/words.h"

namespace safeguard::moderation::reading {
namespace {

constexpr std::size_t kNameMax = 64;

std::string FieldName(std::string_view text, std::string* annotation) {
  const std::size_t open = text.find('(');
  if (open != std::string_view::npos) {
    const std::size_t close = text.find(')', open);
    if (close == std::string_view::npos) {
      return {};
    }
    *annotation = std::string(Trim(text.substr(open + 1, close - open - 1)));
    text = text.substr(0, open);
  }
  std::string name = Lower(Trim(text));
  if (name == "0" || name == "1") {
    return name;  // a label: "1: ..."
  }
  while (!name.empty() && (IsAsciiDigit(name.back()) || name.back() == ' ' || name.back() == '#')) {
    name.pop_back();
  }
  return name;
}

FieldKind KindOf(std::string_view name) {
  if (Contains(ContentFields(), name)) {
    return FieldKind::kContent;
  }
  if (Contains(LabelFields(), name)) {
    return FieldKind::kLabel;
  }
  return Contains(ReasonFields(), name) ? FieldKind::kReason : FieldKind::kOther;
}

}  // namespace

std::optional<Field> ReadField(std::string_view line) {
  line.remove_prefix(LeadingMark(line).bytes);
  // The name stands at the start, so its markup is looked for there only.
  const std::size_t colon_ascii = line.substr(0, kNameMax + 16).find(':');
  const std::size_t colon_wide = line.substr(0, kNameMax + 16).find("：");
  const std::size_t colon = std::min(colon_ascii, colon_wide);
  if (colon == std::string_view::npos || colon == 0) {
    return std::nullopt;
  }
  const std::string head = StripMarkup(line.substr(0, colon));
  // "label": 1, as JSON writes it; only names that mean something count, else it is a quotation.
  const bool quoted = head.size() > 2 && head.front() == '"' && head.back() == '"';
  const std::string_view bare =
      quoted ? std::string_view(head).substr(1, head.size() - 2) : std::string_view(head);
  if (bare.empty() || bare.size() > kNameMax || QuoteBytes(bare) > 0 ||
      bare.find('.') != std::string_view::npos) {
    return std::nullopt;
  }
  Field field;
  field.name = FieldName(bare, &field.annotation);
  if (quoted && KindOf(field.name) == FieldKind::kOther) {
    return std::nullopt;
  }
  if (field.name.empty() || Words(field.name, 6).size() > 4) {
    return std::nullopt;
  }
  std::string_view value = line.substr(colon + (colon == colon_ascii ? 1 : 3));
  while (value.starts_with('*') || value.starts_with('_')) {
    value.remove_prefix(1);
  }
  if (value.starts_with("//")) {
    return std::nullopt;  // an address
  }
  field.kind = KindOf(field.name);
  value = Trim(value);
  value.remove_suffix(quoted && value.ends_with(',') ? 1 : 0);
  field.value = StripMarkup(value);
  return field;
}

std::size_t FindInlineLabel(std::string_view value) {
  constexpr auto names = std::to_array<std::string_view>(
      {"Output:", "Answer:", "Label:", "Classification:", "Verdict:", "Decision:", "Expected:",
       "Response:", "Result:", "output:", "answer:", "label:", "classification:", "verdict:"});
  std::size_t found = std::string_view::npos;
  for (const std::string_view name : names) {
    const std::size_t at = value.rfind(name);
    const bool apart = at != std::string_view::npos && at > 0 && !IsAsciiAlpha(value[at - 1]);
    if (apart && (found == std::string_view::npos || at > found)) {
      found = at;
    }
  }
  return found;
}

std::string LeadingLabel(std::string_view value) {
  value = Trim(value);
  if (value.starts_with('`')) {
    const std::size_t close = value.find('`', 1);
    if (close != std::string_view::npos) {
      return std::string(Trim(value.substr(1, close - 1)));
    }
  }
  const std::string plain = StripMarkup(value);
  std::size_t end = 0;
  for (std::size_t at = 0; at < plain.size();) {
    const std::size_t space = std::min(plain.find(' ', at), plain.size());
    const std::string_view word = std::string_view(plain).substr(at, space - at);
    const bool joins = word == "+" || word == "&" || word == "/" || word == "AND";
    const bool label =
        std::ranges::none_of(word, [](char c) { return c >= 'a' && c <= 'z'; }) &&
        std::ranges::any_of(word, [](char c) { return IsAsciiUpper(c) || IsAsciiDigit(c); });
    if (!joins && !label) {
      break;
    }
    end = joins ? end : space;
    at = space + 1;
  }
  return end == 0 ? std::string(Unquote(plain)) : plain.substr(0, end);
}

}  // namespace safeguard::moderation::reading
