// Tables of examples, definitions, rules and levels, told apart by their headers.
#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "moderation/policy/draft.h"
#include "moderation/policy/ids.h"
#include "moderation/policy/scan.h"

namespace safeguard::moderation::reading {
namespace {

using Names = std::span<const std::string_view>;

constexpr auto kIdNames =
    std::to_array<std::string_view>({"id", "rule id", "code", "#", "no", "no.", "rule #", "ref",
                                     "level", "severity", "tier", "label", "nr", "nr.", "شناسه"});
constexpr auto kNameNames = std::to_array<std::string_view>(
    {"category", "name", "title", "type", "rule", "topic", "level", "severity"});
constexpr auto kTextNames = std::to_array<std::string_view>(
    {"description", "definition", "meaning", "text", "criteria", "criterion", "details", "covers",
     "what it covers", "behaviour", "behavior", "content type", "beschreibung", "descripción",
     "توضیح", "تعریف"});
constexpr auto kRuleNames = std::to_array<std::string_view>({"rule", "rules", "clause"});
constexpr auto kTermNames = std::to_array<std::string_view>(
    {"term", "word", "concept", "phrase", "begriff", "término", "terme", "اصطلاح"});
constexpr auto kExampleNames = std::to_array<std::string_view>(
    {"example", "examples", "input", "content", "text", "message", "prompt", "post", "comment",
     "sample", "user message", "user input", "example content", "beispiel", "ejemplo", "مثال"});
constexpr auto kLabelNames = std::to_array<std::string_view>({"classification",
                                                              "label",
                                                              "labels",
                                                              "answer",
                                                              "output",
                                                              "verdict",
                                                              "decision",
                                                              "expected",
                                                              "expected output",
                                                              "expected label",
                                                              "result",
                                                              "class",
                                                              "side",
                                                              "action",
                                                              "outcome",
                                                              "status",
                                                              "violation",
                                                              "violates",
                                                              "violates?",
                                                              "allowed?",
                                                              "0/1",
                                                              "1/0",
                                                              "0 or 1",
                                                              "label (0/1)",
                                                              "answer (0/1)",
                                                              "برچسب"});

struct Columns {
  int id = -1;
  int name = -1;
  int text = -1;
  int term = -1;
  int example = -1;
  int label = -1;
  std::vector<std::pair<int, Side>> sides;  // "| Allowed | Not allowed |"
  bool allowed_question = false;            // "Allowed?": yes is safe
  bool severity = false;                    // ids are severities
};

int FindColumn(const std::vector<std::string>& header, Names names, int taken = -1) {
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (static_cast<int>(i) != taken && std::ranges::find(names, header[i]) != names.end()) {
      return static_cast<int>(i);
    }
  }
  return -1;
}

Columns ReadHeader(const std::vector<std::string_view>& cells) {
  std::vector<std::string> header;
  header.reserve(cells.size());
  for (const std::string_view cell : cells) {
    header.push_back(Lower(StripMarkup(cell)));
  }
  Columns columns;
  columns.id = FindColumn(header, kIdNames);
  columns.text = FindColumn(header, kTextNames, columns.id);
  if (columns.text < 0) {
    columns.text = FindColumn(header, kRuleNames, columns.id);
  } else if (columns.id < 0) {
    columns.id = FindColumn(header, kRuleNames, columns.text);
  }
  if (columns.id >= 0 && header[static_cast<std::size_t>(columns.id)] == "label" &&
      FindColumn(header, kExampleNames) >= 0) {
    columns.id = -1;  // "| Input | Label | Rule |": what each input is labelled
  }
  if (columns.id >= 0) {
    const std::string& name = header[static_cast<std::size_t>(columns.id)];
    columns.severity = name == "level" || name == "severity" || name == "tier";
  }
  columns.name = FindColumn(header, kNameNames, columns.id);
  if (columns.text == columns.name) {
    columns.name = -1;
  }
  columns.term = FindColumn(header, kTermNames);
  columns.example = FindColumn(header, kExampleNames);
  columns.label = FindColumn(header, kLabelNames, columns.id == 0 ? 0 : -1);
  for (std::size_t i = 0; i < header.size(); ++i) {
    const Side side = PureCue(header[i]);
    const bool question = header[i].ends_with('?');
    if (side != Side::kNone && !question && static_cast<int>(i) != columns.label) {
      columns.sides.emplace_back(static_cast<int>(i), side);
    }
    columns.allowed_question = columns.allowed_question || header[i] == "allowed?";
  }
  return columns;
}

std::string Cell(const std::vector<std::string_view>& cells, int column) {
  if (column < 0 || static_cast<std::size_t>(column) >= cells.size()) {
    return {};
  }
  return StripMarkup(cells[static_cast<std::size_t>(column)]);
}

Side CellSide(const Columns& columns, const std::string& label) {
  const Side side = LabelSide(label);
  return columns.allowed_question ? Opposite(side) : side;
}

void ReadSideRow(Draft& draft, const Line& line, const Columns& columns,
                 const std::vector<std::string_view>& cells) {
  for (const auto& [column, side] : columns.sides) {
    const std::string text = Cell(cells, column);
    if (!text.empty() && text != "-" && text != "–") {
      Line place = line;
      place.marker.clear();
      AddRule(draft, place, text);
      draft.rules.back().own = side;
      draft.rules.back().context = side;
    }
  }
}

void ReadExampleRow(Draft& draft, const Line& line, const Columns& columns,
                    const std::vector<std::string_view>& cells) {
  const std::string text = Cell(cells, columns.example);
  const std::string label = Cell(cells, columns.label);
  if (text.empty() || (label.empty() && columns.label >= 0)) {
    return;
  }
  AddExample(draft, text, label, line.number);
  ExampleDraft& example = draft.examples.back();
  if (columns.allowed_question) {
    example.context = CellSide(columns, label);
    example.example.label = label;
  }
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const int column = static_cast<int>(i);
    if (column != columns.example && column != columns.label && cells[i].size() < 80) {
      example.cites += ' ' + StripMarkup(cells[i]);
    }
  }
}

void ReadDefinitionRow(Draft& draft, const Line& line, const Columns& columns,
                       const std::vector<std::string_view>& cells) {
  std::string term = Cell(cells, columns.term >= 0 ? columns.term : 0);
  std::string text = Cell(cells, columns.text);
  if (columns.term < 0 && columns.id >= 0) {
    const std::string name = Cell(cells, columns.name);
    term = Cell(cells, columns.id) + (name.empty() ? "" : " (" + name + ")");
  }
  if (text.empty()) {
    text = Cell(cells, columns.term == 1 ? 2 : 1);
  }
  if (!term.empty() && !text.empty()) {
    draft.definitions.push_back({std::move(term), std::move(text), line.number});
  }
}

void ReadRuleRow(Draft& draft, const Line& line, const Columns& columns,
                 const std::vector<std::string_view>& cells) {
  std::string id = Cell(cells, columns.id);
  std::string name = Cell(cells, columns.name);
  if (Words(id, 4).size() > 3) {
    name = std::exchange(id, {});  // a sentence in a column that is called "Rule"
  }
  std::string text = Cell(cells, columns.text);
  if (!name.empty() && name != text) {
    text = text.empty() ? name : name + ": " + text;
  }
  const std::string label = Cell(cells, columns.label);
  if (text.empty()) {
    return;
  }
  if (draft.Here().role == Role::kInstructions) {
    if (const std::optional<IdMatch> match = MatchId(id); match && !match->compound) {
      MentionLevel(draft, id, text, line.number);
    }
    return;
  }
  Line place = line;
  place.marker.clear();
  AddRule(draft, place, text);
  RuleDraft& rule = draft.rules.back();
  if (!id.empty() && id.size() <= 40) {
    rule.rule.id = id;
    rule.rule.id_written = true;
  }
  Side side = CellSide(columns, label);
  if (side == Side::kNone && columns.severity && !id.empty()) {
    side = LabelSide(id);  // 0 is safe, 1 and above violate
  }
  rule.own = side != Side::kNone ? side : rule.own;
  const std::string sample = columns.example == columns.text ? "" : Cell(cells, columns.example);
  if (!sample.empty()) {
    AddExample(draft, sample, label, line.number);
    draft.examples.back().cites = id;
    draft.examples.back().context = rule.own != Side::kNone ? rule.own : rule.context;
  }
}

enum class TableKind { kOther, kSides, kExamples, kDefinitions, kRules };

TableKind KindOf(const Columns& columns, const Context& here) {
  if (columns.sides.size() >= 2) {
    return TableKind::kSides;
  }
  if (columns.term >= 0 || here.role == Role::kDefinitions) {
    return TableKind::kDefinitions;
  }
  const bool has_text = columns.text >= 0 && columns.text != columns.example;
  const bool rules =
      (columns.id >= 0 && (has_text || columns.name >= 0)) || (has_text && columns.label >= 0);
  if (columns.example >= 0 && columns.label >= 0 && !(columns.id >= 0 && has_text)) {
    return TableKind::kExamples;
  }
  if (rules && (has_text || columns.name >= 0) && here.role != Role::kExamples) {
    // Results and inventories have ids too; only a column that describes makes them rules.
    const bool described = has_text || columns.label >= 0;
    return described ? TableKind::kRules : TableKind::kOther;
  }
  return columns.example >= 0 && here.role == Role::kExamples ? TableKind::kExamples
                                                              : TableKind::kOther;
}

// "| Input | Label | Rule |" with ids below "Rule": examples that cite rules, not rules.
void CitedRuleIsNoText(const Draft& draft, std::size_t header, Columns& columns) {
  if (columns.example < 0 || columns.label < 0 || columns.text < 0) {
    return;
  }
  for (std::size_t at = header + 1; at < draft.lines.size(); ++at) {
    const Line& line = draft.lines[at];
    if (line.kind != LineKind::kTableRow) {
      return;
    }
    if (IsDelimiterRow(line.raw)) {
      continue;
    }
    if (Words(Cell(Cells(line.raw), columns.text), 4).size() <= 3) {
      columns.text = -1;
      columns.id = -1;
    }
    return;
  }
}

}  // namespace

std::size_t ReadTable(Draft& draft, std::size_t at) {
  FlushExample(draft);
  draft.open.clear();
  Columns columns = ReadHeader(Cells(draft.lines[at].raw));
  CitedRuleIsNoText(draft, at, columns);
  const TableKind kind = KindOf(columns, draft.Here());
  for (++at; at < draft.lines.size() && draft.lines[at].kind == LineKind::kTableRow; ++at) {
    const Line& line = draft.lines[at];
    if (IsDelimiterRow(line.raw)) {
      continue;
    }
    const std::vector<std::string_view> cells = Cells(line.raw);
    switch (kind) {
      case TableKind::kSides:
        ReadSideRow(draft, line, columns, cells);
        break;
      case TableKind::kExamples:
        ReadExampleRow(draft, line, columns, cells);
        break;
      case TableKind::kDefinitions:
        ReadDefinitionRow(draft, line, columns, cells);
        break;
      case TableKind::kRules:
        ReadRuleRow(draft, line, columns, cells);
        break;
      case TableKind::kOther:
        break;
    }
  }
  return at;
}

}  // namespace safeguard::moderation::reading
