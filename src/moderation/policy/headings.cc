#include "moderation/policy/headings.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "moderation/policy/fields.h"
#include "moderation/policy/scan.h"

namespace safeguard::moderation::reading {
namespace {

constexpr std::size_t kPlainTitleMax = 120;
constexpr std::size_t kLabelWordsMax = 6;

std::size_t NextWithText(const std::vector<Line>& lines, std::size_t at) {
  // A bounded look: a heading with a page of blank lines below is none.
  for (std::size_t i = at + 1; i < lines.size() && i < at + 16; ++i) {
    if (lines[i].kind != LineKind::kBlank) {
      return i;
    }
  }
  return lines.size();
}

bool OpensBlock(const std::vector<Line>& lines, std::size_t at) {
  return at == 0 ||
         (lines[at - 1].kind != LineKind::kText && lines[at - 1].kind != LineKind::kItem);
}

bool EndsSentence(std::string_view text) {
  return text.ends_with('.') || text.ends_with('!') || text.ends_with('?') || text.ends_with(';') ||
         text.ends_with(',') || text.ends_with("。") || text.ends_with("؟");
}

// All of the line is one bold piece: the text inside.
std::optional<std::string> BoldOnly(std::string_view body) {
  body.remove_prefix(LeadingMark(body).bytes);
  const std::string_view mark = body.substr(0, 2);
  if ((mark != "**" && mark != "__") || body.size() < 5 || body.size() > 240) {
    return std::nullopt;
  }
  bool colon = body.ends_with(':');
  const std::string_view inner = colon ? TrimRight(body.substr(0, body.size() - 1)) : body;
  if (inner.size() < 5 || !inner.ends_with(mark) || inner.find(mark, 2) != inner.size() - 2) {
    return std::nullopt;
  }
  return std::string(Trim(inner.substr(2, inner.size() - 4))) + (colon ? ":" : "");
}

std::string CleanTitle(std::string_view text) {
  std::string plain = StripMarkup(text);
  std::string_view title = plain;
  while (title.ends_with(':') || title.ends_with("：")) {
    title.remove_suffix(title.ends_with(':') ? 1 : 3);
    title = TrimRight(title);
  }
  return std::string(title);
}

// "1.2 Title", "3. Title", "۳. ..." at the start of a title: the number, taken off the text.
std::string TakeNumber(std::string_view& text) {
  const std::string ascii = AsciiDigits(text.substr(0, 24));
  std::size_t n = 0;
  while (n < ascii.size() && (IsAsciiDigit(ascii[n]) || (n > 0 && ascii[n] == '.'))) {
    ++n;
  }
  if (n == 0 || n > 8 || n >= ascii.size() || (ascii[n] != ' ' && ascii[n] != ')') ||
      (ascii[n] == ' ' && n > 3 && ascii.find('.') == std::string::npos)) {
    return {};
  }
  std::string number = ascii.substr(0, n);
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos) {
    return {};
  }
  text = TrimLeft(text.substr(space));
  while (number.ends_with('.')) {
    number.pop_back();
  }
  return number;
}

void Understand(std::string_view text, const Survey& survey, Heading& heading) {
  heading.title = CleanTitle(text);
  std::string_view rest = heading.title;
  const std::string number = TakeNumber(rest);
  if (heading.number.empty()) {
    heading.number = number;
  }
  heading.cue = ReadTitleCue(heading.title);
  heading.role = TitleRole(heading.title);
  heading.names_level = ReadLevelTitle(rest, survey.families);
}

bool NamesPolicy(std::string_view title) {
  const std::string lower = Lower(title);
  return std::ranges::any_of(
             std::initializer_list<std::string_view>{"polic", "guideline", "standard", "política",
                                                     "politique", "richtlinie", "политик",
                                                     "code of"},
             [&lower](std::string_view word) { return lower.find(word) != std::string::npos; }) ||
         (lower.ends_with(" rules") && ReadTitleCue(title).side == Side::kNone);
}

// The title of the whole policy says what it is about, not which side its rules are on.
bool IsPolicyTitle(const std::vector<Line>& lines, std::size_t at, const Heading& heading,
                   const Survey& survey) {
  if (at != survey.first || IsOnlySide(heading.title)) {
    return false;
  }
  if (heading.names_level && heading.names_level->strong && !NamesPolicy(heading.title)) {
    return false;  // "## SP2: Likely spam" at the top: a policy without a title
  }
  if (lines[at].kind == LineKind::kHeading) {
    const bool section = heading.role != Role::kUnknown && lines[at].heading > 1;
    const bool named = NamesPolicy(heading.title);
    return !section && (named || (heading.role != Role::kCriteria && survey.first_headings == 1));
  }
  return true;
}

std::optional<Heading> ReadPlain(const std::vector<Line>& lines, std::size_t at,
                                 const Survey& survey) {
  const Line& line = lines[at];
  const std::string_view body = line.body;
  const Mark mark = LeadingMark(body);
  const std::string_view text = body.substr(mark.bytes);
  if (text.empty() || body.size() > kPlainTitleMax || QuoteBytes(text) > 0 || line.quoted) {
    return std::nullopt;
  }
  Heading heading;
  heading.make = Heading::Make::kPlain;
  Understand(body, survey, heading);
  const std::vector<std::string> words = Words(text, 16);
  const std::size_t next = NextWithText(lines, at);
  const bool opens = OpensBlock(lines, at);
  const std::optional<Field> field = ReadField(text);
  const bool field_line = field && (field->kind != FieldKind::kOther || !field->value.empty());
  const bool knows = heading.role != Role::kUnknown || heading.cue.side != Side::kNone;
  const bool content_line = field && field->kind == FieldKind::kContent && !field->value.empty();
  if (heading.names_level && heading.names_level->strong && !EndsSentence(text) &&
      !heading.names_level->compound && !content_line) {
    const bool parenthesised = text.ends_with(')') || text.ends_with("):");
    if ((parenthesised && words.size() <= 14) || survey.parents.contains(heading.names_level->id) ||
        (opens && mark.bytes > 0) ||
        (opens && next == at + 1 && next < lines.size() && words.size() <= 8 &&
         lines[next].kind == LineKind::kItem)) {
      return heading;
    }
  }
  if (field_line || EndsSentence(text)) {
    return std::nullopt;
  }
  const bool colon = text.ends_with(':') || text.ends_with("：");
  const bool conditional = std::ranges::any_of(words, [](const std::string& word) {
    return word == "if" || word == "when" || word == "that" || word == "unless";
  });
  if (colon && conditional) {
    return std::nullopt;  // introduces a list
  }
  if (colon && knows && words.size() <= kLabelWordsMax && next < lines.size()) {
    heading.make = IsAllCaps(text) ? Heading::Make::kPlain : Heading::Make::kLabel;
    return heading;
  }
  if (IsAllCaps(text) && words.size() <= 10 && !words.empty() && (opens || knows) &&
      text.find("  ") == std::string_view::npos) {
    return heading;
  }
  if (mark.bytes > 0 && opens && words.size() <= 12) {
    const bool list_of_marks = next < lines.size() && LeadingMark(lines[next].body).bytes > 0;
    if (knows || !list_of_marks) {
      return heading;
    }
  }
  const bool blank_before = at == 0 || lines[at - 1].kind != LineKind::kText;
  if (!colon && knows && opens && blank_before && words.size() <= 5 && next < lines.size() &&
      line.indent == 0) {
    return heading;
  }
  return std::nullopt;
}

// "1. TITLE" above bullets that stand no deeper: a numbered heading, not an item.
std::optional<Heading> ReadNumbered(const std::vector<Line>& lines, std::size_t at,
                                    const Survey& survey) {
  const Line& line = lines[at];
  const std::size_t next = NextWithText(lines, at);
  if (line.marker.empty() || !IsAsciiDigit(line.marker.front()) || next >= lines.size() ||
      line.body.size() > kPlainTitleMax || EndsSentence(line.body)) {
    return std::nullopt;
  }
  const Line& below = lines[next];
  const bool list = below.kind == LineKind::kItem && below.marker != AsciiDigits(line.marker) &&
                    (below.marker.empty() || !IsAsciiDigit(below.marker.front())) &&
                    below.indent <= line.indent;
  const std::string plain = CleanTitle(line.body);
  const bool capitals = IsAllCaps(plain) && below.kind != LineKind::kItem;
  const bool bold = BoldOnly(line.body).has_value() && below.kind == LineKind::kText &&
                    below.indent <= line.indent && TitleRole(plain) != Role::kUnknown;
  // "2. Prohibited content" above "2.1 Selling ...", or above its text.
  const std::optional<LeadingId> id = MatchLeadingId(below.body);
  const bool parent = id && id->match.parent == AsciiDigits(line.marker);
  const bool section = below.kind == LineKind::kText && below.indent <= line.indent &&
                       Words(plain, 7).size() <= 6 && plain.find(": ") == std::string::npos &&
                       (TitleRole(plain) != Role::kUnknown || PureCue(plain) != Side::kNone);
  if (!list && !capitals && !bold && !parent && !section) {
    return std::nullopt;
  }
  Heading heading;
  heading.make = Heading::Make::kPlain;
  heading.number = line.marker;
  Understand(line.body, survey, heading);
  return heading;
}

std::optional<Heading> ReadTitleLine(const std::vector<Line>& lines, std::size_t at,
                                     const Survey& survey) {
  const std::string_view body = lines[at].body;
  const std::optional<std::string> bold = BoldOnly(body);
  std::string title = CleanTitle(bold ? std::string_view(*bold) : body);
  if (const std::string head = Lower(title.substr(0, 8));
      head.starts_with("policy: ") || head.starts_with("title: ")) {
    title.erase(0, title.find(':') + 2);  // "POLICY: Dating app messages"
  }
  const std::size_t words = Words(title, 16).size();
  const bool alone = at + 1 >= lines.size() || lines[at + 1].kind != LineKind::kText;
  if (words == 0 || words > 12 || title.size() > kPlainTitleMax || EndsSentence(title) ||
      body.ends_with(':') || QuoteBytes(title) > 0 || title.find(": ") != std::string::npos ||
      (!alone && !NamesPolicy(title)) || at + 1 >= lines.size()) {
    return std::nullopt;
  }
  Heading heading;
  heading.make = bold ? Heading::Make::kBold : Heading::Make::kPlain;
  heading.level = 1;
  Understand(title, survey, heading);
  const bool section =
      (heading.role != Role::kUnknown || heading.cue.side != Side::kNone) && !NamesPolicy(title);
  if (section) {
    return std::nullopt;
  }
  heading.is_title = true;
  return heading;
}

std::optional<Heading> ReadBold(const std::vector<Line>& lines, std::size_t at,
                                const Survey& survey) {
  const std::optional<std::string> bold = BoldOnly(lines[at].body);
  if (!bold) {
    return std::nullopt;
  }
  Heading heading;
  heading.make = Heading::Make::kBold;
  heading.level = std::min(survey.markdown_depth + 1, 7);
  heading.level = std::max(heading.level, 2);
  Understand(*bold, survey, heading);
  const bool named = heading.names_level && heading.names_level->strong;
  const bool knows = heading.role != Role::kUnknown || heading.cue.side != Side::kNone;
  if (bold->ends_with(':') && knows && !named) {
    const std::optional<Field> field = ReadField(*bold);
    if (field && field->kind != FieldKind::kOther) {
      return std::nullopt;  // "**Content:**" of an example
    }
    heading.make = Heading::Make::kLabel;
    return heading;
  }
  if (!named && (EndsSentence(*bold) || Words(*bold, 20).size() > 14)) {
    return std::nullopt;
  }
  return heading;
}

}  // namespace

Survey TakeSurvey(const std::vector<Line>& lines) {
  Survey survey;
  survey.first = lines.size();
  std::unordered_map<std::string, std::unordered_set<std::string>> ids;
  std::vector<std::size_t> headings(7, 0);
  int first_depth = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const Line& line = lines[i];
    if (line.kind == LineKind::kBlank || line.kind == LineKind::kHidden ||
        line.kind == LineKind::kRuler) {
      continue;
    }
    survey.first = std::min(survey.first, i);
    if (line.kind == LineKind::kHeading) {
      survey.markdown_depth = std::max(survey.markdown_depth, line.heading);
      first_depth = first_depth == 0 ? line.heading : first_depth;
      ++headings[static_cast<std::size_t>(line.heading)];
    }
    std::string_view text = line.body;
    if (line.kind == LineKind::kTableRow) {
      const std::vector<std::string_view> cells = Cells(line.raw);
      text = cells.empty() ? std::string_view{} : cells.front();
    }
    const std::string plain = StripMarkup(text.substr(0, 160));
    if (const std::optional<IdMatch> id = MatchAnyLeadingId(plain); id && !id->keyword) {
      ids[id->family].insert(id->id);
      if (id->compound) {
        survey.parents.insert(id->parent);
      }
    }
  }
  for (const auto& [family, members] : ids) {
    survey.families[family] = members.size();
  }
  survey.first_headings = headings[static_cast<std::size_t>(first_depth)];
  return survey;
}

std::optional<Heading> ReadHeading(const std::vector<Line>& lines, std::size_t at,
                                   const Survey& survey) {
  const Line& line = lines[at];
  std::optional<Heading> heading;
  if (line.kind == LineKind::kHeading) {
    heading.emplace();
    heading->level = line.heading;
    Understand(line.body, survey, *heading);
    heading->is_title = IsPolicyTitle(lines, at, *heading, survey);
  } else if (line.kind == LineKind::kText) {
    heading = at == survey.first ? ReadTitleLine(lines, at, survey) : std::nullopt;
    if (!heading) {
      heading = ReadBold(lines, at, survey);
    }
    if (!heading) {
      heading = ReadPlain(lines, at, survey);
    }
  } else if (line.kind == LineKind::kItem) {
    heading = ReadNumbered(lines, at, survey);
  }
  if (heading && heading->is_title) {
    heading->cue = {};
    heading->role = Role::kUnknown;
    heading->names_level.reset();
    heading->number.clear();
  }
  return heading;
}

}  // namespace safeguard::moderation::reading
