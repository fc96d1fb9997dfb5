// Labelled examples in the shapes people write them.
#include <algorithm>
#include <utility>

#include "moderation/policy/draft.h"
#include "moderation/policy/fields.h"
#include "moderation/policy/ids.h"
#include "moderation/policy/scan.h"

namespace safeguard::moderation::reading {
namespace {

constexpr std::size_t kLabelMax = 80;

// A short text that can be a label: words of a side, digits, flags or ids.
bool IsLabelLike(std::string_view text) {
  text = Trim(text);
  return !text.empty() && text.size() <= kLabelMax &&
         (LabelSide(text) != Side::kNone || !IdTokens(text).empty());
}

// All that stands in one closed pair of quotation marks.
bool IsClosedQuote(std::string_view text) {
  return Unquote(text).size() < Trim(text).size();
}

struct TextAndLabel {
  std::string_view text;
  std::string_view label;
  std::string_view cites = {};
};

std::optional<TextAndLabel> SplitArrow(std::string_view text) {
  const Span arrow = LastArrow(text);
  if (arrow.bytes == 0) {
    return std::nullopt;
  }
  const std::string_view left = Trim(text.substr(0, arrow.at));
  const std::string_view right = Trim(text.substr(arrow.at + arrow.bytes));
  if (left.empty() || right.empty() || right.size() > kLabelMax) {
    return std::nullopt;
  }
  return TextAndLabel{left, right};
}

std::string_view DropPunctuation(std::string_view text) {
  text = TrimLeft(text);
  while (!text.empty()) {
    const std::size_t dash = DashBytes(text);
    const bool mark = text.front() == ':' || text.front() == ',' || text.front() == '|' ||
                      text.front() == '=' || text.front() == '.';
    if (dash == 0 && !mark) {
      break;
    }
    text = TrimLeft(text.substr(dash > 0 ? dash : 1));
  }
  return text;
}

// `"text" – SAFE`, `"text": 1`
std::optional<TextAndLabel> SplitQuoted(std::string_view text) {
  if (QuoteBytes(text) == 0) {
    return std::nullopt;
  }
  std::size_t end = text.rfind('"');
  std::size_t bytes = 1;
  if (const std::size_t curly = text.rfind("”");
      curly != std::string_view::npos && (end == std::string_view::npos || curly > end)) {
    end = curly;
    bytes = 3;
  }
  if (end == std::string_view::npos || end == 0) {
    return std::nullopt;
  }
  const std::string_view label = DropPunctuation(text.substr(end + bytes));
  if (!IsLabelLike(label) || Words(label, 8).size() > 6) {
    return std::nullopt;
  }
  return TextAndLabel{Trim(text.substr(0, end + bytes)), label};
}

// The same, and `text (SAFE)`.
std::optional<TextAndLabel> SplitTrailing(std::string_view text) {
  if (text.ends_with(')')) {
    const std::size_t open = text.rfind('(');
    if (open != std::string_view::npos && open > 0) {
      const std::string_view label = Trim(text.substr(open + 1, text.size() - open - 2));
      const std::string_view left = Trim(text.substr(0, open));
      if (const auto inner = SplitQuoted(left); inner && IsLabelLike(label)) {
        return TextAndLabel{inner->text, inner->label, label};  // "text" – VIOLATES (V1)
      }
      if (IsLabelLike(label)) {
        return TextAndLabel{left, label};
      }
    }
  }
  return SplitQuoted(text);
}

// "[SAFE] text", "(1) text", "SAFE – text".
std::optional<TextAndLabel> SplitLeading(std::string_view text) {
  if (text.starts_with('[') || text.starts_with('(')) {
    const std::size_t close = text.substr(0, kLabelMax).find_first_of("])");
    if (close != std::string_view::npos && IsLabelLike(text.substr(1, close - 1))) {
      const std::string_view rest = DropPunctuation(text.substr(close + 1));
      return rest.empty() ? std::nullopt
                          : std::optional<TextAndLabel>({rest, Trim(text.substr(1, close - 1))});
    }
  }
  for (const std::string_view dash : {" – ", " — ", " - "}) {
    const std::size_t at = text.substr(0, kLabelMax).find(dash);
    if (at != std::string_view::npos &&
        (PureCue(text.substr(0, at)) != Side::kNone || IdTokens(text.substr(0, at)).size() == 1) &&
        Words(text.substr(0, at), 4).size() <= 3) {
      return TextAndLabel{Trim(text.substr(at + dash.size())), Trim(text.substr(0, at))};
    }
  }
  return std::nullopt;
}

bool IsPlaceholder(std::string_view text) {
  text = Unquote(text);
  return text.empty() || (text.size() < 60 && (text.front() == '[' || text.front() == '{' ||
                                               text.front() == '<' || text.starts_with("...")));
}

PendingExample& Pend(Draft& draft, int line) {
  if (!draft.pending) {
    draft.pending.emplace();
    draft.pending->draft.example.line = line;
    draft.pending->draft.context = draft.Here().side;
    draft.pending->draft.level = draft.Here().level;
  }
  return *draft.pending;
}

void SetContent(Draft& draft, const Field& field, int line) {
  if (draft.pending && draft.pending->has_content) {
    FlushExample(draft);
  }
  PendingExample& pending = Pend(draft, line);
  if (!field.annotation.empty() && pending.draft.example.label.empty() &&
      IsLabelLike(field.annotation)) {
    pending.draft.example.label = field.annotation;
  }
  std::string_view value = field.value;
  const std::size_t inline_label = FindInlineLabel(value);
  if (inline_label != std::string_view::npos) {
    const std::string_view rest = value.substr(inline_label);
    pending.draft.example.label = LeadingLabel(rest.substr(rest.find(':') + 1));
    pending.draft.cites = std::string(rest);
    value = Trim(value.substr(0, inline_label));
    while (value.ends_with('|') || value.ends_with(';') || value.ends_with(',')) {
      value = TrimRight(value.substr(0, value.size() - 1));
    }
  } else if (const auto split = SplitArrow(value); split && IsLabelLike(split->label)) {
    pending.draft.example.label = std::string(split->label);
    value = split->text;
  } else if (const auto trailing = SplitTrailing(value);
             trailing && pending.draft.example.label.empty()) {
    pending.draft.example.label = std::string(trailing->label);
    value = trailing->text;
  }
  pending.draft.example.text = std::string(value);
  pending.has_content = true;
  pending.in_reason = false;
}

void SetLabel(Draft& draft, const Field& field, int line) {
  PendingExample& pending = Pend(draft, line);
  const std::string label = LeadingLabel(field.value);
  pending.in_reason = true;
  const bool secondary = field.name.find("category") != std::string::npos || field.name == "class";
  if (label.empty()) {
    return;
  }
  if (secondary && !pending.draft.example.label.empty()) {
    pending.draft.cites += ' ' + label;
  } else {
    pending.draft.example.label = label;
  }
}

// "SAFE: ...", "SP2: ...", "0: ...": a label where a field's name stands.
bool IsLabelName(const Field& field) {
  return !field.value.empty() && (PureCue(field.name) != Side::kNone || field.name == "yes" ||
                                  field.name == "no" || field.name == "0" || field.name == "1");
}

bool ReadExampleField(Draft& draft, const Line& line, const Field& field) {
  // "User: text" / "Assistant: 1"; longer answers of an assistant are part of the content.
  const bool answers = (field.name == "assistant" || field.name == "model") &&
                       Words(field.value, 4).size() <= 3 && IsLabelLike(field.value);
  switch (answers && draft.pending ? FieldKind::kLabel : field.kind) {
    case FieldKind::kContent:
      SetContent(draft, field, line.number);
      return true;
    case FieldKind::kLabel:
      SetLabel(draft, field, line.number);
      return true;
    case FieldKind::kReason:
      if (draft.pending) {
        draft.pending->in_reason = true;
      }
      return true;
    case FieldKind::kOther:
      break;
  }
  return false;
}

void ReadUnlabelled(Draft& draft, const Line& line, const std::string& text) {
  const Context& here = draft.Here();
  const bool listed = line.kind == LineKind::kItem;
  if (!listed && QuoteBytes(text) == 0) {
    return;
  }
  std::string label = here.label;
  if (label.empty() && here.level >= 0) {
    label = draft.levels[static_cast<std::size_t>(here.level)].level.id;
  }
  const Mark mark = LeadingMark(text);
  if (mark.side != Side::kNone) {
    label = std::string(Trim(std::string_view(text).substr(0, mark.bytes)));
  }
  AddExample(draft, std::string_view(text).substr(mark.bytes), label, line.number);
  OpenAs(draft, OpenKind::kExample, static_cast<int>(draft.examples.size()) - 1, line);
}

// "1" of "Example 1 (Label: 1)", "S = 1" of "Example 1 – S = 1", "VIOLATES" of "Example
// (VIOLATES)".
std::string LabelOfTitle(std::string_view title) {
  const std::size_t open = title.rfind('(');
  if (open != std::string_view::npos && title.ends_with(')')) {
    std::string_view inner = Trim(title.substr(open + 1, title.size() - open - 2));
    if (const std::optional<Field> field = ReadField(inner);
        field && field->kind == FieldKind::kLabel) {
      return field->value;
    }
    if (IsLabelLike(inner)) {
      return std::string(inner);
    }
    title = TrimRight(title.substr(0, open));
  }
  for (const std::string_view separator : {": ", " – ", " — ", " - "}) {
    const std::size_t at = title.find(separator);
    if (at != std::string_view::npos && IsLabelLike(title.substr(at + separator.size()))) {
      return std::string(Trim(title.substr(at + separator.size())));
    }
  }
  return {};
}

}  // namespace

void AddExample(Draft& draft, std::string_view text, std::string_view label, int line) {
  while (text.ends_with(';') || text.ends_with(',')) {
    text = TrimRight(text.substr(0, text.size() - 1));
  }
  ExampleDraft draft_example;
  draft_example.example.text = std::string(Unquote(text));
  draft_example.example.label = StripMarkup(Unquote(label));
  draft_example.example.line = line;
  draft_example.context = draft.Here().side;
  draft_example.level = draft.Here().level;
  draft.examples.push_back(std::move(draft_example));
}

void FlushExample(Draft& draft) {
  if (!draft.pending) {
    return;
  }
  PendingExample pending = *std::exchange(draft.pending, std::nullopt);
  Example& example = pending.draft.example;
  if (!pending.has_content || (example.label.empty() && IsPlaceholder(example.text))) {
    return;
  }
  example.text = std::string(Unquote(example.text));
  if (!example.text.empty()) {
    draft.examples.push_back(std::move(pending.draft));
  }
}

bool IsExampleItemTitle(std::string_view title) {
  const std::vector<std::string> words = Words(title, 4);
  if (words.empty()) {
    return false;
  }
  const bool example = words[0] == "example" || words[0] == "sample" || words[0] == "beispiel" ||
                       words[0] == "exemple" || words[0] == "ejemplo" || words[0] == "exemplo" ||
                       words[0] == "пример" || words[0] == "مثال";
  const bool edge =
      words.size() > 1 && (words[0] == "edge" || words[0] == "test") && words[1] == "case";
  return example || edge;
}

void StartHeadedExample(Draft& draft, const Heading& heading, int line) {
  FlushExample(draft);
  PendingExample& pending = Pend(draft, line);
  pending.draft.example.label = LabelOfTitle(heading.title);
  pending.labelled_by_heading = !pending.draft.example.label.empty();
}

void ReadExampleLine(Draft& draft, const Line& line) {
  const std::string text = StripMarkup(line.body);
  const std::optional<Field> field = ReadField(line.body);
  if (field && ReadExampleField(draft, line, *field)) {
    return;
  }
  const bool item = line.kind == LineKind::kItem;
  if (draft.pending && draft.pending->has_content && !item) {
    std::string& content = draft.pending->draft.example.text;
    const bool labelled = field && IsLabelName(*field);
    if (!draft.after_blank && labelled) {
      // "Safe: it names no one." right below the content: why, and the label when there is none.
      std::string& label = draft.pending->draft.example.label;
      label = label.empty() ? field->name : label;
      draft.pending->in_reason = true;
      return;
    }
    if (!draft.after_blank) {
      if (!draft.pending->in_reason && !IsClosedQuote(content)) {
        content += content.empty() ? "" : "\n";
        content += text;
      }
      return;
    }
    FlushExample(draft);
  }
  if (draft.pending && !draft.pending->has_content && !item) {
    draft.pending->draft.example.text = text;  // "Example 1 (SAFE):" with the text below
    draft.pending->has_content = true;
    return;
  }
  FlushExample(draft);
  if (const auto split = SplitArrow(text)) {
    AddExample(draft, split->text, split->label, line.number);
    return;
  }
  if (field && IsLabelName(*field)) {
    const std::string_view name = std::string_view(text).substr(0, text.find(':'));
    AddExample(draft, field->value, Trim(name), line.number);
    return;
  }
  if (const std::optional<LeadingId> id = MatchLeadingId(text);
      id && id->separated && !id->match.family.empty()) {
    AddExample(draft, std::string_view(text).substr(id->rest_at), id->match.id, line.number);
    return;
  }
  auto split = SplitLeading(text);
  if (!split) {
    split = SplitTrailing(text);
  }
  if (split) {
    AddExample(draft, split->text, split->label, line.number);
    draft.examples.back().cites = std::string(split->cites);
    OpenAs(draft, OpenKind::kExample, static_cast<int>(draft.examples.size()) - 1, line);
    return;
  }
  if (!Continue(draft, line, text)) {
    ReadUnlabelled(draft, line, text);
  }
}

bool ReadStrayExample(Draft& draft, const Line& line) {
  const std::string text = StripMarkup(line.body);
  if (QuoteBytes(text) > 0) {
    const auto split = SplitArrow(text);
    if (split && IsLabelLike(split->label)) {
      AddExample(draft, split->text, split->label, line.number);
      return true;
    }
    return false;
  }
  const std::optional<Field> field = ReadField(line.body);
  if (!field || draft.Here().rule >= 0) {
    return false;
  }
  const bool below = !draft.open.empty() && draft.open.back().kind == OpenKind::kRule &&
                     draft.open.back().item && line.indent > draft.open.back().indent;
  if (below && field->name == "text") {
    return false;  // "- id: V1" / "  text: ...": the rule's own
  }
  const bool labelled = !field->annotation.empty() && IsLabelLike(field->annotation);
  if (field->kind == FieldKind::kContent && !field->value.empty() &&
      (labelled || FindInlineLabel(field->value) != std::string_view::npos ||
       QuoteBytes(field->value) > 0)) {
    SetContent(draft, *field, line.number);
    return true;
  }
  if (draft.pending && (field->kind == FieldKind::kLabel || field->kind == FieldKind::kReason)) {
    return ReadExampleField(draft, line, *field);
  }
  return false;
}

}  // namespace safeguard::moderation::reading
