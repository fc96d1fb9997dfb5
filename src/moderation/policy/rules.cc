// Rules from list items, lines that lead with an id, and paragraphs in sections with a side.
#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "moderation/policy/draft.h"
#include "moderation/policy/fields.h"
#include "moderation/policy/ids.h"
#include "moderation/policy/scan.h"
#include "moderation/policy/words.h"

namespace safeguard::moderation::reading {
namespace {

constexpr auto kConditions = std::to_array<std::string_view>(
    {"requirement", "requirements", "condition", "conditions", "note", "notes", "rationale",
     "reason", "context", "see also", "important"});
constexpr auto kLabelVerbs = std::to_array<std::string_view>(
    {"label", "answer", "return", "respond", "classify", "mark", "flag", "output", "assign", "give",
     "choose", "treat", "content"});

bool EndsWithAny(std::string_view lower, std::span<const std::string_view> ends) {
  return std::ranges::any_of(ends, [lower](std::string_view end) { return lower.ends_with(end); });
}

std::string LowerTail(std::string_view text, std::size_t bytes) {
  return Lower(text.substr(text.size() > bytes ? text.size() - bytes : 0));
}

// The parent's last words turn its items to the other side: "... by adults. This excludes:".
bool ListsExclusions(std::string_view text) {
  constexpr auto ends = std::to_array<std::string_view>(
      {"excludes:", "except:", "exceptions:", "exclusions:", "does not include:", "do not include:",
       "not including:", "unless:"});
  return EndsWithAny(LowerTail(text, 24), ends);
}

// Plain text with one rule a line: a short line ends, and the next one begins like a sentence.
// Wrapped prose has long lines and goes on in lower case.
bool BeginsAnew(std::string_view before, std::string_view text) {
  constexpr std::size_t wrapped = 64;
  const bool goes_on = before.ends_with(',') || before.ends_with('-') || before.ends_with(':');
  const bool fragment = before.ends_with('.') && Words(text, 3).size() < 3;
  return before.size() < wrapped && !goes_on && !fragment && !text.empty() &&
         IsAsciiUpper(text.front());
}

// Where the text begins after "VIOLATES: " or "Allowed - "; 0 when no such label leads.
std::size_t LabelEnd(std::string_view text) {
  const std::string_view head = text.substr(0, 48);
  for (const std::string_view mark : {": ", " - ", " – ", " — "}) {
    const std::size_t at = head.find(mark);
    if (at != std::string_view::npos && at > 0 && PureCue(head.substr(0, at)) != Side::kNone &&
        !Trim(text.substr(at + mark.size())).empty()) {
      return at + mark.size();
    }
  }
  return 0;
}

bool IsLinkOnly(std::string_view body) {
  return body.starts_with('[') && body.ends_with(')') && body.find("](") != std::string_view::npos;
}

// What an item says without the label or verdict that OwnSide read: "VIOLATES: x", "[SAFE] x",
// "Allowed - x", "x -> violation".
std::string_view WithoutLabel(std::string_view text) {
  if (LeadingMark(text).side != Side::kNone) {
    const std::string_view rest = text.substr(LeadingMark(text).bytes);
    return rest.empty() ? text : rest;
  }
  if (text.starts_with('[') || text.starts_with('(')) {
    const std::size_t close = text.substr(0, 40).find_first_of("])");
    const bool label =
        close != std::string_view::npos && PureCue(text.substr(1, close - 1)) != Side::kNone;
    const std::string_view rest = label ? Trim(text.substr(close + 1)) : text;
    return rest.empty() ? text : rest;
  }
  if (const std::size_t at = LabelEnd(text); at > 0) {
    return TrimLeft(text.substr(at));
  }
  if (const Span arrow = LastArrow(text); arrow.bytes > 0 && arrow.at > 0) {
    const std::string_view verdict = Trim(text.substr(arrow.at + arrow.bytes));
    if (verdict.size() <= 40 && PureCue(verdict) != Side::kNone) {
      return TrimRight(text.substr(0, arrow.at));
    }
  }
  return text;
}

// The side that an item states for itself, by a mark, a leading label or a verdict at its end.
Side OwnSide(std::string_view text) {
  if (const Mark mark = LeadingMark(text); mark.side != Side::kNone) {
    return mark.side;
  }
  if (text.starts_with('[') || text.starts_with('(')) {
    const std::size_t close = text.substr(0, 40).find_first_of("])");
    if (close != std::string_view::npos) {
      return PureCue(text.substr(1, close - 1));
    }
  }
  if (const std::size_t at = LabelEnd(text); at > 0) {
    const std::size_t end = text.substr(0, at).find_last_not_of(" :-");
    return PureCue(text.substr(0, end + 1));
  }
  if (const Span arrow = LastArrow(text); arrow.bytes > 0) {
    const std::string_view verdict = Trim(text.substr(arrow.at + arrow.bytes));
    if (verdict.size() <= 40 && Words(verdict, 6).size() <= 4) {
      return LabelSide(verdict);
    }
  }
  return Side::kNone;
}

bool IsExclusion(std::string_view text) {
  const std::optional<Field> field = ReadField(text);
  return field && !field->value.empty() &&
         (field->name.starts_with("exclu") || field->name.starts_with("excep") ||
          field->name.starts_with("exempt"));
}

OpenItem* EnclosingItem(Draft& draft, int indent) {
  while (!draft.open.empty() && (!draft.open.back().item || draft.open.back().indent >= indent)) {
    draft.open.pop_back();
  }
  return draft.open.empty() ? nullptr : &draft.open.back();
}

// Items below a rule: rules of their own, examples when quoted, else conditions of the rule.
bool ReadNestedItem(Draft& draft, const Line& line, const std::string& text, int parent) {
  RuleDraft& above = draft.rules[static_cast<std::size_t>(parent)];
  const std::optional<Field> field = ReadField(text);
  if (field && std::ranges::find(kConditions, field->name) != kConditions.end()) {
    Join(above.rule.text, text);
    return true;
  }
  if (QuoteBytes(text) > 0) {
    AddExample(draft, text, {}, line.number);
    draft.examples.back().context = above.own != Side::kNone ? above.own : above.context;
    draft.examples.back().cites = above.rule.id;
    return true;
  }
  return false;
}

// What "Content that violates:" and its like say about the list below them.
void ReadIntroduction(Draft& draft, const std::string& text) {
  Context& here = draft.Here();
  const std::string lower = LowerTail(text, 400);
  const bool such = lower.find("such as") != std::string::npos || lower.ends_with("like:") ||
                    lower.find("for example") != std::string::npos ||
                    lower.find("e.g.") != std::string::npos ||
                    lower.find("does not apply") != std::string::npos;
  const bool in_level = here.level >= 0 && Words(text, 9).size() >= 8;
  here.list_attaches = such && in_level;
  here.list_side = here.list_attaches ? Side::kNone : ReadTitleCue(text).side;
  const std::vector<std::string> words = Words(text, 40);
  const bool verb = !words.empty() && std::ranges::any_of(kLabelVerbs, [&](std::string_view v) {
    return words.front() == v;
  });
  const bool conditional = std::ranges::any_of(words, [](const std::string& w) {
    return w == "if" || w == "when" || w == "that" || w == "contains" || w == "includes";
  });
  if (here.list_side == Side::kNone && verb && conditional) {
    const bool one = std::ranges::find(words, "1") != words.end();
    const bool zero = std::ranges::find(words, "0") != words.end();
    if (one != zero) {
      here.list_side = one ? Side::kViolating : Side::kSafe;
    }
  }
  here.list_listens = here.list_side != Side::kNone && verb && conditional;
}

std::string* LevelText(Draft& draft, const Context& here) {
  return here.level >= 0 ? &draft.levels[static_cast<std::size_t>(here.level)].level.text : nullptr;
}

}  // namespace

int AddRule(Draft& draft, const Line& line, std::string_view text) {
  const Context& here = draft.Here();
  RuleDraft rule;
  rule.rule.line = line.number;
  rule.marker = line.marker;
  rule.number = here.number;
  rule.number_title = here.number_title;
  rule.level = here.level;
  rule.section = here.section;
  rule.context = here.list_side != Side::kNone ? here.list_side : here.side;
  rule.own = line.label.empty() ? OwnSide(text) : LabelSide(line.label);
  rule.rule.text = std::string(WithoutLabel(text));
  if (here.titled >= 0) {
    rule.rule.section = draft.sections[static_cast<std::size_t>(here.titled)].section.title;
  }
  draft.rules.push_back(std::move(rule));
  return static_cast<int>(draft.rules.size()) - 1;
}

int AddLevel(Draft& draft, const LevelTitle& title, int line) {
  if (const auto found = draft.level_by_id.find(title.id); found != draft.level_by_id.end()) {
    LevelDraft& known = draft.levels[static_cast<std::size_t>(found->second)];
    const bool same_name = title.name.empty() || known.level.name.empty() || known.mention ||
                           EqualsNoCase(title.name, known.level.name);
    if (same_name) {
      if (known.mention) {
        known.mention = false;
        known.level.line = line;
        known.level.text.clear();
      }
      known.level.name = known.level.name.empty() ? title.name : known.level.name;
      return found->second;
    }
  }
  LevelDraft level;
  level.level.id = title.id;
  level.level.name = title.name;
  level.level.line = line;
  level.strong = title.strong;
  draft.levels.push_back(std::move(level));
  const int index = static_cast<int>(draft.levels.size()) - 1;
  draft.level_by_id[title.id] = index;
  return index;
}

void MentionLevel(Draft& draft, std::string_view id, std::string_view text, int line) {
  if (draft.level_by_id.contains(std::string(id))) {
    return;
  }
  LevelDraft level;
  level.level.id = std::string(id);
  level.level.text = std::string(text);
  level.level.line = line;
  level.mention = true;
  level.words = PureCue(text);
  draft.levels.push_back(std::move(level));
  draft.level_by_id[std::string(id)] = static_cast<int>(draft.levels.size()) - 1;
}

bool ReadIdentifiedRule(Draft& draft, const Line& line, const std::string& text) {
  const Context& here = draft.Here();
  const std::optional<LeadingId> id = MatchLeadingId(text);
  if (!id) {
    return false;
  }
  const bool emphasised = line.body.starts_with("**" + id->match.id + "**") ||
                          line.body.starts_with("`" + id->match.id + "`");
  const bool item = line.kind == LineKind::kItem;
  if (!IsConvincing(*id, emphasised && (item || id->separated), draft.survey.families) ||
      (!item && !id->match.compound && !id->separated && !id->match.bracketed &&
       !(here.role == Role::kCriteria && !id->match.keyword)) ||
      (id->match.family.empty() && here.role == Role::kUnknown && !item)) {
    return false;
  }
  const std::string rest(TrimLeft(std::string_view(text).substr(id->rest_at)));
  if (rest.empty()) {
    return false;
  }
  if (here.role == Role::kInstructions || here.role == Role::kExamples) {
    if (here.role == Role::kInstructions || !id->match.compound) {
      if (!id->match.compound && !id->match.family.empty() && id->separated) {
        MentionLevel(draft, id->match.id, rest, line.number);
      }
      return here.role == Role::kInstructions;
    }
  }
  if (here.role == Role::kDefinitions && !id->match.compound) {
    return false;
  }
  const OpenItem* above = EnclosingItem(draft, line.indent);
  const int parent = above != nullptr && above->kind == OpenKind::kRule ? above->index : -1;
  const int index = AddRule(draft, line, rest);
  RuleDraft& rule = draft.rules.back();
  rule.rule.id = id->match.id;
  rule.rule.id_written = true;
  rule.parent = parent;
  if (rule.own == Side::kNone) {
    rule.own = LeadingMark(text).side;
  }
  OpenAs(draft, OpenKind::kRule, index, line);
  return true;
}

void ReadCriteriaItem(Draft& draft, const Line& line, const std::string& text) {
  Context& here = draft.Here();
  const OpenItem* above = EnclosingItem(draft, line.indent);
  const int parent = above != nullptr && above->kind == OpenKind::kRule ? above->index : here.rule;
  if (here.list_attaches) {
    Join(*LevelText(draft, here), text);
    return;
  }
  if (parent >= 0 && ReadNestedItem(draft, line, text, parent)) {
    return;
  }
  if (IsLinkOnly(line.body) || text.empty()) {
    return;
  }
  if (QuoteBytes(text) > 0 && Unquote(text) != Trim(text) && here.role == Role::kUnknown) {
    return;
  }
  const int index = AddRule(draft, line, text);
  RuleDraft& rule = draft.rules.back();
  rule.parent = parent;
  if (parent >= 0) {
    const RuleDraft& outer = draft.rules[static_cast<std::size_t>(parent)];
    rule.flips = IsExclusion(text) || ListsExclusions(outer.rule.text);
    rule.own = rule.flips ? Side::kNone : rule.own;
    rule.loose = outer.loose;
  } else {
    const bool placed = here.role == Role::kCriteria || here.level >= 0 ||
                        rule.context != Side::kNone || rule.own != Side::kNone;
    rule.loose = !placed && ClauseSide(text) == Side::kNone;
  }
  OpenAs(draft, OpenKind::kRule, index, line);
}

// "Allowed: chess. Not allowed: bets." is prose, the value of the first label not a rule.
bool LabelsAgain(std::string_view value) {
  constexpr std::size_t kLooked = 64;         // sentences
  constexpr std::size_t kLabelBytesMax = 64;  // a longer one is no label
  std::size_t at = value.find(". ");
  for (std::size_t i = 0; i < kLooked && at != std::string_view::npos; ++i) {
    const std::optional<Field> inner = ReadField(value.substr(at + 2, kLabelBytesMax));
    if (inner && PureCue(inner->name) != Side::kNone) {
      return true;
    }
    at = value.find(". ", at + 2);
  }
  return false;
}

void ReadCriteriaText(Draft& draft, const Line& line, const std::string& text) {
  Context& here = draft.Here();
  const std::optional<Field> field = ReadField(text);
  if (line.quoted || (field && std::ranges::find(kConditions, field->name) != kConditions.end())) {
    return;  // a note to the reader
  }
  if (here.rule >= 0) {
    Join(draft.rules[static_cast<std::size_t>(here.rule)].rule.text, text);
    OpenAs(draft, OpenKind::kRule, here.rule, line);
    return;
  }
  draft.open.clear();
  const bool introduces = text.ends_with(':') || text.ends_with("：");
  here.list_attaches = false;
  here.list_side = Side::kNone;
  if (introduces) {
    ReadIntroduction(draft, text);
  }
  const bool labelled = field && !field->value.empty() && PureCue(field->name) != Side::kNone &&
                        !LabelsAgain(field->value);
  if (std::string* level_text = labelled ? nullptr : LevelText(draft, here)) {
    if (!introduces || here.list_attaches) {
      Join(*level_text, text);
      OpenAs(draft, OpenKind::kLevelText, here.level, line);
    }
    return;
  }
  if (introduces) {
    return;
  }
  if (!labelled && here.side == Side::kNone) {
    if (!ReadMeansSentence(draft, line, text)) {
      draft.prose.emplace_back(text, line.number);
      OpenAs(draft, OpenKind::kProse, static_cast<int>(draft.prose.size()) - 1, line);
    }
    return;
  }
  const int index = AddRule(draft, line, labelled ? field->value : text);
  RuleDraft& rule = draft.rules.back();
  rule.own = labelled ? PureCue(field->name) : rule.own;
  rule.paragraph = !labelled;
  OpenAs(draft, OpenKind::kRule, index, line);
}

void OpenAs(Draft& draft, OpenKind kind, int index, const Line& line) {
  const bool item = line.kind == LineKind::kItem;
  if (!item) {
    draft.open.clear();
  } else {
    EnclosingItem(draft, line.indent);
    if (draft.open.size() >= kDepthMax) {
      draft.open.pop_back();
    }
  }
  draft.open.push_back({kind, index, line.indent, item});
}

void Join(std::string& text, std::string_view more) {
  if (!text.empty() && !more.empty()) {
    text += ' ';
  }
  text += more;
}

bool Continue(Draft& draft, const Line& line, const std::string& text) {
  if (draft.open.empty() || line.kind != LineKind::kText) {
    return false;
  }
  if (draft.after_blank) {
    while (!draft.open.empty() &&
           (!draft.open.back().item || draft.open.back().indent >= line.indent)) {
      draft.open.pop_back();
    }
    if (draft.open.empty()) {
      return false;
    }
  }
  const OpenItem& open = draft.open.back();
  const std::optional<Field> field = ReadField(text);
  const bool labelled = field && !field->value.empty() && PureCue(field->name) != Side::kNone;
  if (line.indent <= open.indent && (text.ends_with(':') || labelled)) {
    return false;  // introduces a list, or is a rule of its own
  }
  const auto index = static_cast<std::size_t>(open.index);
  switch (open.kind) {
    case OpenKind::kRule:
      if (draft.rules[index].paragraph && BeginsAnew(draft.last_text, text)) {
        return false;
      }
      Join(draft.rules[index].rule.text, text);
      return true;
    case OpenKind::kDefinition:
      if (!open.item && BeginsAnew(draft.last_text, text) && LooksLikeDefinition(text)) {
        return false;
      }
      Join(draft.definitions[index].text, text);
      return true;
    case OpenKind::kExample:
      Join(draft.examples[index].example.text, text);
      return true;
    case OpenKind::kLevelText:
      if (text.ends_with(':')) {
        return false;  // introduces a list
      }
      Join(draft.levels[index].level.text, text);
      return true;
    case OpenKind::kProse:
      if (text.ends_with(':')) {
        return false;
      }
      Join(draft.prose[index].first, text);
      return true;
    case OpenKind::kNothing:
      return false;
  }
  return false;
}

}  // namespace safeguard::moderation::reading
