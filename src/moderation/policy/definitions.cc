// Definitions: "**Term** – text", "Term: text", "X means Y", and what continues them.
#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "moderation/policy/draft.h"
#include "moderation/policy/scan.h"

namespace safeguard::moderation::reading {
namespace {

constexpr std::size_t kTermMax = 100;

struct Split {
  std::string_view term;
  std::string_view text;
};

std::string_view DropSeparator(std::string_view text) {
  text = TrimLeft(text);
  if (text.starts_with(':') || text.starts_with('=')) {
    text.remove_prefix(1);
  } else if (text.starts_with("：")) {
    text.remove_prefix(3);
  } else {
    text.remove_prefix(DashBytes(text));
  }
  return TrimLeft(text);
}

// "**Term** ..." and "**Term:** ...": the bold part is the term.
std::optional<Split> SplitBold(std::string_view body) {
  const std::string_view mark = body.substr(0, 2);
  if (mark != "**" && mark != "__") {
    return std::nullopt;
  }
  const std::size_t close = body.find(mark, 2);
  if (close == std::string_view::npos || close - 2 > kTermMax || close == 2) {
    return std::nullopt;
  }
  std::string_view term = Trim(body.substr(2, close - 2));
  const std::string_view rest = DropSeparator(body.substr(close + 2));
  while (term.ends_with(':')) {
    term = TrimRight(term.substr(0, term.size() - 1));
  }
  return term.empty() || rest.empty() ? std::nullopt : std::optional<Split>({term, rest});
}

constexpr auto kVerbs = std::to_array<std::string_view>(
    {" means ", " refers to ", " is defined as ", " are defined as ", " is any ", " bedeutet ",
     " significa ", " désigne "});

std::optional<Split> SplitAt(std::string_view text, std::size_t at, std::size_t bytes) {
  const std::string_view term = Unquote(text.substr(0, at));
  const std::string_view rest = Trim(text.substr(at + bytes));
  if (term.empty() || rest.empty() || term.size() > kTermMax || Words(term, 12).size() > 10) {
    return std::nullopt;
  }
  return Split{term, rest};
}

std::optional<Split> SplitPlain(std::string_view text) {
  const std::string_view head = text.substr(0, kTermMax + 8);
  const std::size_t colon = head.find(':');
  if (colon != std::string_view::npos && !text.substr(colon).starts_with("://")) {
    return SplitAt(text, colon, 1);
  }
  if (const std::size_t wide = head.find("："); wide != std::string_view::npos) {
    return SplitAt(text, wide, 3);
  }
  for (const std::string_view dash : {" – ", " — ", " - ", " = "}) {
    if (const std::size_t at = head.find(dash); at != std::string_view::npos) {
      return SplitAt(text, at, dash.size());
    }
  }
  for (const std::string_view verb : kVerbs) {
    if (const std::size_t at = head.find(verb); at != std::string_view::npos) {
      return SplitAt(text, at, verb.size());
    }
  }
  return std::nullopt;
}

void Add(Draft& draft, const Line& line, std::string_view term, std::string_view text) {
  draft.definitions.push_back({StripMarkup(term), StripMarkup(text), line.number});
  OpenAs(draft, OpenKind::kDefinition, static_cast<int>(draft.definitions.size()) - 1, line);
}

}  // namespace

bool LooksLikeDefinition(std::string_view text) {
  const std::optional<Split> split = SplitPlain(text);
  return split && Words(split->term, 6).size() <= 5;
}

void ReadDefinitionLine(Draft& draft, const Line& line, const std::string& text) {
  Context& here = draft.Here();
  if (line.kind == LineKind::kItem && !draft.open.empty() &&
      draft.open.front().kind == OpenKind::kDefinition && draft.open.front().item &&
      line.indent > draft.open.front().indent) {
    Join(draft.definitions[static_cast<std::size_t>(draft.open.front().index)].text, text);
    return;
  }
  if (text.starts_with(": ") && !draft.prose.empty() &&
      draft.prose.back().second == line.number - 1) {
    const std::string term = draft.prose.back().first;  // Markdown's "Term" / ": text"
    draft.prose.pop_back();
    Add(draft, line, term, Trim(std::string_view(text).substr(2)));
    return;
  }
  std::optional<Split> split = SplitBold(line.body);
  if (!split) {
    split = SplitPlain(text);
  }
  if (split) {
    Add(draft, line, split->term, split->text);
    return;
  }
  if (!here.term.empty() && !text.ends_with(':')) {
    Add(draft, line, std::exchange(here.term, {}), text);
    return;
  }
  if (line.kind == LineKind::kItem && !draft.definitions.empty()) {
    Join(draft.definitions.back().text, text);  // "Examples include ..."
  } else if (line.kind == LineKind::kText && text.size() <= kTermMax) {
    draft.prose.emplace_back(text, line.number);
  }
}

bool ReadMeansSentence(Draft& draft, const Line& line, const std::string& text) {
  for (const std::string_view verb : std::span(kVerbs).first(4)) {
    const std::size_t at = std::string_view(text).substr(0, kTermMax).find(verb);
    if (at == std::string_view::npos) {
      continue;
    }
    const std::string_view term = Unquote(std::string_view(text).substr(0, at));
    const std::size_t words = Words(term, 8).size();
    if (words > 0 && words <= 4 && (IsAsciiUpper(term.front()) || text.front() != term.front())) {
      Add(draft, line, term, Trim(std::string_view(text).substr(at + verb.size())));
      draft.prose.emplace_back(text, line.number);
      return true;
    }
  }
  return false;
}

}  // namespace safeguard::moderation::reading
