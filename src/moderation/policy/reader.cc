// ReadPolicy: bytes -> lines -> sections -> rules, definitions, examples -> Policy.
#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "base/utf8.h"
#include "moderation/policy.h"
#include "moderation/policy/draft.h"
#include "moderation/policy/fields.h"
#include "moderation/policy/front_matter.h"
#include "moderation/policy/ids.h"
#include "moderation/policy/json_fields.h"
#include "moderation/policy/scan.h"
#include "moderation/policy/tags.h"
#include "moderation/policy/words.h"

namespace safeguard::moderation {
namespace reading {
namespace {

std::size_t At(int index) {
  return static_cast<std::size_t>(index);
}

void CloseSections(Draft& draft, int depth, int line) {
  while (draft.stack.size() > 1 && draft.Here().depth >= depth) {
    draft.sections[At(draft.Here().section)].section.line_end = line;
    draft.stack.pop_back();
  }
}

// How deep a "Examples:" line stands: below the last true heading.
int LabelDepth(const Draft& draft) {
  for (std::size_t i = draft.stack.size(); i > 0; --i) {
    if (draft.stack[i - 1].make != Heading::Make::kLabel) {
      return std::max(draft.stack[i - 1].depth + 1, 2);
    }
  }
  return 2;
}

// Titles such as "Output for violations" tell how to answer; "Prohibited instructions" do not.
bool LeadsWithInstruction(std::string_view title) {
  const std::vector<std::string> words = Words(title, 1);
  return !words.empty() && (Contains(InstructionTerms(), words.front()) || words.front() == "how" ||
                            words.front() == "when");
}

Role RoleOf(const Heading& heading, const Context& above) {
  if (heading.is_title) {
    return Role::kUnknown;
  }
  if (above.role == Role::kExamples && IsOnlySide(heading.title)) {
    return Role::kExamples;  // "## Examples" / "### Violating"
  }
  const bool strong = heading.names_level && heading.names_level->strong;
  const bool weak = heading.names_level && !heading.names_level->strong;
  if (heading.role == Role::kExamples &&
      !(strong && !heading.cue.mixed && MatchLeadingId(heading.title))) {
    return Role::kExamples;
  }
  if (strong || (weak && heading.role != Role::kDefinitions)) {
    return Role::kCriteria;
  }
  if (heading.role == Role::kDefinitions) {
    return Role::kDefinitions;
  }
  const bool sided = heading.cue.side != Side::kNone || heading.cue.mixed;
  if (sided && !(heading.role == Role::kInstructions && LeadsWithInstruction(heading.title))) {
    return heading.cue.mixed && heading.role == Role::kInstructions ? Role::kInstructions
                                                                    : Role::kCriteria;
  }
  return heading.role == Role::kUnknown ? above.role : heading.role;
}

// The part of a title in its last parentheses, when it is a bare label: "1" of "VIOLATES (1)".
std::string BareLabel(std::string_view title) {
  const std::size_t open = title.rfind('(');
  if (open == std::string_view::npos || !title.ends_with(')')) {
    return {};
  }
  std::string_view inner = Trim(title.substr(open + 1, title.size() - open - 2));
  if (const std::size_t colon = inner.rfind(':'); colon != std::string_view::npos) {
    inner = Trim(inner.substr(colon + 1));
  }
  const bool bare = !inner.empty() && inner.size() <= 16 && LabelSide(inner) != Side::kNone &&
                    inner.find(' ') == std::string_view::npos &&
                    inner.find('=') == std::string_view::npos;
  return bare ? AsciiDigits(inner) : std::string{};
}

void PlaceSide(const Heading& heading, const Context& above, Context& here) {
  const bool states = heading.cue.side != Side::kNone || heading.cue.mixed;
  const bool strong = heading.names_level && heading.names_level->strong;
  if (here.role == Role::kInstructions || here.role == Role::kDefinitions) {
    return;
  }
  here.side = above.side;
  if (!states || (heading.cue.exception && strong && above.side != Side::kNone)) {
    return;
  }
  here.own_side = true;
  here.side = heading.cue.side;
  if (heading.cue.exception && above.side != Side::kNone) {
    here.side = Opposite(above.side);
  }
}

void PlaceLevel(Draft& draft, const Heading& heading, const Context& above, int line,
                Context& here) {
  const bool below =
      here.role == Role::kCriteria || here.role == Role::kExamples || here.role == Role::kUnknown;
  here.level = below ? above.level : -1;
  if (!heading.names_level || here.role == Role::kInstructions || here.role == Role::kDefinitions ||
      here.role == Role::kExamples) {
    return;
  }
  if (heading.names_level->compound || heading.names_level->rule_keyword) {
    return;  // a rule, made once the context is open
  }
  here.level = AddLevel(draft, *heading.names_level, line);
  LevelDraft& level = draft.levels[At(here.level)];
  if (here.own_side) {
    level.both_sides = level.both_sides || (level.words != Side::kNone && level.words != here.side);
    level.words = here.side;
  } else if (level.inherited == Side::kNone) {
    level.inherited = here.side;
  }
}

void PlaceNumber(const Heading& heading, const Context& above, Context& here) {
  here.number = above.number;
  here.number_title = above.number_title;
  if (!heading.number.empty() && !here.own_side && heading.role == Role::kUnknown) {
    here.number = heading.number;
    std::string_view name = heading.title;
    if (!name.empty() && AsciiDigits(name.substr(0, 8)).starts_with(heading.number)) {
      name = TrimLeft(name.substr(std::min(name.find(' '), name.size())));
    }
    here.number_title = std::string(name);
  } else if (here.own_side || here.role != Role::kUnknown) {
    here.number.clear();
  }
}

void OpenHeadedRule(Draft& draft, const Heading& heading, const Line& line) {
  if (!heading.names_level ||
      !(heading.names_level->compound || heading.names_level->rule_keyword) ||
      draft.Here().role == Role::kInstructions || draft.Here().role == Role::kExamples) {
    return;
  }
  Line place = line;
  place.marker.clear();
  const std::string& name = heading.names_level->name;
  const int index = AddRule(draft, place, name.empty() ? name : name + ".");
  draft.rules.back().rule.id = heading.names_level->id;
  draft.rules.back().rule.id_written = true;
  draft.Here().rule = index;
}

void OpenSection(Draft& draft, Heading heading, const Line& line) {
  draft.open.clear();
  if (!IsExampleItemTitle(heading.title) || draft.pending) {
    FlushExample(draft);
  }
  if (heading.make == Heading::Make::kLabel) {
    heading.level = LabelDepth(draft);
  }
  // "VIOLATES" in capitals or bold between the examples below "## Examples".
  if (heading.make != Heading::Make::kMarkdown && IsOnlySide(heading.title)) {
    for (const Context& around : draft.stack) {
      if (around.role == Role::kExamples && around.make == Heading::Make::kMarkdown) {
        heading.level = around.depth + 1;
      }
    }
  }
  CloseSections(draft, heading.level, line.number - 1);
  const Context above = draft.Here();
  Context here;
  here.make = heading.make;
  here.depth = heading.level;
  here.role = RoleOf(heading, above);
  PlaceSide(heading, above, here);
  PlaceLevel(draft, heading, above, line.number, here);
  PlaceNumber(heading, above, here);
  if (here.role == Role::kDefinitions && heading.role == Role::kUnknown) {
    here.term = heading.title;
  }
  here.label = BareLabel(heading.title);
  if (!here.label.empty() && here.role == Role::kCriteria) {
    draft.labels.emplace_back(here.label, LabelSide(here.label));
  }
  SectionDraft section;
  section.section = {heading.title, heading.level, here.side, line.number, line.number};
  section.level = here.level;
  draft.sections.push_back(std::move(section));
  here.section = static_cast<int>(draft.sections.size()) - 1;
  const bool plain_label = heading.make == Heading::Make::kLabel && !here.own_side;
  here.titled = plain_label && above.titled >= 0 ? above.titled : here.section;
  draft.stack.push_back(std::move(here));
  OpenHeadedRule(draft, heading, line);
  if (draft.title.empty() && heading.is_title) {
    draft.title = heading.title;
  }
  if (draft.Here().role == Role::kExamples && IsExampleItemTitle(heading.title)) {
    StartHeadedExample(draft, heading, line.number);
  }
}

// <example label="1">text</example>, {"input": "text", "label": 1}
bool ReadElement(Draft& draft, const Line& line) {
  const bool examples = draft.Here().role == Role::kExamples;
  if (!line.label.empty() && (examples || line.raw.find("</example>") != std::string_view::npos)) {
    FlushExample(draft);
    AddExample(draft, line.body, line.label, line.number);
    return true;
  }
  const std::optional<JsonExample> json = ReadJsonExample(line.body);
  if (!json || (json->label.empty() && !examples)) {
    return false;
  }
  FlushExample(draft);
  AddExample(draft, json->text, json->label, line.number);
  return true;
}

// "4.1 Bulk: more than ten" in definitions, "5.1 ..." in examples: the number says nothing.
void DropNumber(Role role, Line& line) {
  if (role == Role::kDefinitions || role == Role::kExamples) {
    const std::optional<LeadingId> id = MatchLeadingId(line.body);
    if (id && id->match.family.empty() && id->match.compound && !id->match.bracketed) {
      line.body = line.body.substr(id->rest_at);
    }
  }
}

void ReadByRole(Draft& draft, const Line& given) {
  if (ReadElement(draft, given)) {
    return;
  }
  Context& here = draft.Here();
  Line line = given;
  DropNumber(here.role, line);
  const std::string text = StripMarkup(line.body);
  const bool item = line.kind == LineKind::kItem;
  if (here.role == Role::kExamples && draft.pending) {
    ReadExampleLine(draft, line);
    return;
  }
  if (ReadOutputLine(draft, line) || ReadIdentifiedRule(draft, line, text)) {
    return;
  }
  if (here.role == Role::kExamples) {
    ReadExampleLine(draft, line);
    return;
  }
  if (ReadStrayExample(draft, line)) {
    return;
  }
  if (!item && Continue(draft, line, text)) {
    return;
  }
  switch (here.role) {
    case Role::kDefinitions:
      ReadDefinitionLine(draft, line, text);
      break;
    case Role::kInstructions:
      NoteLabels(draft, line);
      if (item && here.list_listens) {
        ReadCriteriaItem(draft, line, text);
      } else if (!item && text.ends_with(':')) {
        ReadCriteriaText(draft, line, text);
        here.list_side = here.list_listens ? here.list_side : Side::kNone;
      } else if (!item) {
        here.list_listens = false;
      }
      break;
    default:
      item ? ReadCriteriaItem(draft, line, text) : ReadCriteriaText(draft, line, text);
      break;
  }
}

// A fence in a section of examples holds an example; elsewhere it is a template.
void ReadFencedLine(Draft& draft, const Line& line) {
  if (!line.fenced || draft.Here().role != Role::kExamples || line.body.starts_with("```") ||
      line.body.starts_with("~~~") || line.body.empty()) {
    return;
  }
  Line text = line;
  text.kind = LineKind::kText;
  if (ReadElement(draft, text)) {
    return;
  }
  if (ReadField(text.body) || (draft.pending && !draft.pending->has_content)) {
    ReadExampleLine(draft, text);
  }
}

void ReadBody(Draft& draft) {
  draft.survey = TakeSurvey(draft.lines);
  draft.stack.emplace_back();
  for (std::size_t i = 0; i < draft.lines.size();) {
    const Line& line = draft.lines[i];
    switch (line.kind) {
      case LineKind::kBlank:
        draft.after_blank = true;
        break;
      case LineKind::kRuler:
        FlushExample(draft);
        draft.open.clear();
        break;
      case LineKind::kHidden:
        ReadFencedLine(draft, line);
        break;
      case LineKind::kTableRow:
        i = ReadTable(draft, i);
        draft.after_blank = false;
        continue;
      case LineKind::kHeading:
      case LineKind::kText:
      case LineKind::kItem:
        if (line.body.size() <= kTitleMax) {
          if (std::optional<Heading> heading = ReadHeading(draft.lines, i, draft.survey)) {
            OpenSection(draft, *std::move(heading), line);
            draft.after_blank = false;
            break;
          }
        }
        ReadByRole(draft, line);
        draft.after_blank = false;
        draft.last_text = line.body;
        break;
    }
    ++i;
  }
  CloseSections(draft, 0, draft.lines.empty() ? 1 : draft.lines.back().number);
}

std::string NormaliseNewlines(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] != '\r') {
      text += bytes[i];
    } else if (i + 1 >= bytes.size() || bytes[i + 1] != '\n') {
      text += '\n';
    }
  }
  return text;
}

Status CheckBytes(std::string_view bytes) {
  if (bytes.size() > kPolicyBytesMax) {
    return Fail(ErrorCode::kLimit,
                "the policy is " + std::to_string(bytes.size()) +
                    " bytes long, over the limit of " + std::to_string(kPolicyBytesMax),
                "shorten it, or split it into several policies");
  }
  if (const std::size_t zero = bytes.find('\0'); zero != std::string_view::npos) {
    return Fail(ErrorCode::kInvalidInput,
                "the policy is not text: a NUL byte at offset " + std::to_string(zero),
                "give a Markdown or plain text file in UTF-8");
  }
  if (const std::optional<std::size_t> bad = FirstInvalidUtf8(bytes)) {
    return Fail(ErrorCode::kInvalidInput,
                "the policy is not valid UTF-8 at byte " + std::to_string(*bad),
                "save it as UTF-8");
  }
  return {};
}

void NamePolicy(const Draft& draft, std::string_view fallback_id, Policy& policy) {
  std::string title = draft.title;
  // "Spam Policy (#SP)": the tag is not part of the name.
  if (const std::size_t tag = title.find(" (#"); tag != std::string::npos) {
    title.resize(tag);
  }
  const std::vector<std::string> words = Words(title, 2);
  const bool bare =
      words.empty() ||
      (words.size() == 1 &&
       (words[0].starts_with("polic") || words[0].starts_with("guideline") || words[0] == "rules"));
  if (policy.name.empty()) {
    policy.name = title.empty() || bare ? std::string(fallback_id) : title;
  }
  if (policy.id.empty() && !bare) {
    policy.id = Slug(title);
  }
  if (policy.id.empty()) {
    policy.id = std::string(fallback_id);
  }
  if (policy.version.empty()) {
    policy.version.assign(1, '1');  // not = "1": GCC 12 warns of an overlap (its bug 105651)
  }
}

}  // namespace
}  // namespace reading

Result<Policy> ReadPolicy(std::string_view bytes, std::string_view fallback_id) {
  if (Status status = reading::CheckBytes(bytes); !status) {
    return std::unexpected(status.error());
  }
  Policy policy;
  policy.hash = Blake2bHex(bytes);
  std::string_view marked = bytes;
  if (marked.starts_with("\xEF\xBB\xBF")) {
    marked.remove_prefix(3);
  }
  const std::string text = reading::NormaliseNewlines(marked);
  const Result<reading::FrontMatterSpan> span = reading::FindFrontMatter(text);
  if (!span) {
    return std::unexpected(span.error());
  }
  if (span->present) {
    if (Status status = reading::ReadFrontMatter(*span, policy); !status) {
      return std::unexpected(status.error());
    }
  }
  policy.body_line = span->body_line;
  policy.text = text.substr(span->body_at);
  reading::Draft draft;
  draft.lines = reading::ReadLines(policy.text, policy.body_line);
  reading::UnfoldTags(draft.lines, draft.unfolded);
  reading::ReadBody(draft);
  reading::Finish(draft, policy);
  reading::NamePolicy(draft, fallback_id, policy);
  return policy;
}

}  // namespace safeguard::moderation
