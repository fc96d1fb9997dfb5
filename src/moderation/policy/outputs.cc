// What a policy says to answer: "Output: INVALID" of a section, labels that an instruction names.
#include <algorithm>
#include <array>

#include "moderation/policy/draft.h"
#include "moderation/policy/fields.h"
#include "moderation/policy/scan.h"

namespace safeguard::moderation::reading {
namespace {

std::size_t At(int index) {
  return static_cast<std::size_t>(index);
}

}  // namespace

// "Output: INVALID" says what to answer to all of its section.
bool ReadOutputLine(Draft& draft, const Line& line) {
  const std::optional<Field> field = ReadField(line.body);
  Context& here = draft.Here();
  const bool placed = here.level >= 0 || here.side != Side::kNone || here.role == Role::kCriteria;
  if (!field || field->kind != FieldKind::kLabel || field->value.empty() || !placed ||
      (draft.pending && draft.pending->has_content) || here.role == Role::kInstructions) {
    return false;
  }
  if (field->name == "category" || field->name == "a" || field->name == "violation") {
    return false;
  }
  std::string_view raw = line.body.substr(line.body.find(':') + 1);
  while (raw.starts_with('*') || raw.starts_with(' ')) {
    raw.remove_prefix(1);
  }
  const std::string output = LeadingLabel(raw);
  const std::vector<std::string> after = Words(raw.substr(std::min(output.size(), raw.size())), 3);
  if (std::ranges::find(after, "or") != after.end()) {
    return false;  // "Output: VALID or INVALID" tells the choice, not the answer
  }
  const Side side = LabelSide(output);
  if (side == Side::kNone && here.level < 0) {
    return false;
  }
  draft.sections[At(here.titled >= 0 ? here.titled : here.section)].output = side;
  if (here.level >= 0) {
    draft.levels[At(here.level)].level.output = output;
  } else if (side != Side::kNone && output.size() <= 40) {
    draft.labels.emplace_back(output, side);
  }
  draft.open.clear();
  return true;
}

// `Answer "Violating"`, "return `1`": the labels that an instruction names.
void NoteLabels(Draft& draft, const Line& line) {
  constexpr auto verbs = std::to_array<std::string_view>(
      {"respond", "answer", "return", "output", "reply", "classify", "label", "respong"});
  const std::string lower = Lower(line.body.substr(0, 600));
  if (draft.labels.size() > 64 || std::ranges::none_of(verbs, [&lower](std::string_view verb) {
        return lower.find(verb) != std::string::npos;
      })) {
    return;
  }
  const std::string_view text = line.body.substr(0, 600);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char mark = text[i];
    if (mark != '`' && mark != '"') {
      continue;
    }
    const std::size_t close = text.find(mark, i + 1);
    if (close == std::string_view::npos) {
      break;
    }
    const std::string_view label = Trim(text.substr(i + 1, close - i - 1));
    if (!label.empty() && label.size() <= 30 && label.find_first_of("{:=") == std::string::npos &&
        LabelSide(label) != Side::kNone) {
      draft.labels.emplace_back(std::string(label), LabelSide(label));
    }
    i = close;
  }
}

}  // namespace safeguard::moderation::reading
