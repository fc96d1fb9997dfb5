#include "moderation/policy/tags.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "moderation/policy/scan.h"
#include "moderation/policy/words.h"

namespace safeguard::moderation::reading {
namespace {

constexpr std::size_t kNameMax = 40;
constexpr std::size_t kAttributesMax = 512;

constexpr auto kRuleTags = std::to_array<std::string_view>(
    {"rule", "item", "li", "criterion", "clause", "bullet", "point", "condition"});
constexpr auto kExampleTags = std::to_array<std::string_view>({"example", "sample", "case"});
constexpr auto kDefinitionTags = std::to_array<std::string_view>({"definition", "def", "term"});

struct Tag {
  std::string name;  // in lower case
  bool closing = false;
  std::string_view attributes;
  std::size_t bytes = 0;
};

// "<name ...>" or "</name>" at the start of `text`.
std::optional<Tag> ReadTag(std::string_view text) {
  Tag tag;
  std::size_t at = 1;
  if (!text.starts_with('<')) {
    return std::nullopt;
  }
  tag.closing = text.substr(at).starts_with('/');
  at += tag.closing ? 1 : 0;
  const std::size_t begin = at;
  while (at < text.size() && at - begin < kNameMax &&
         (IsAsciiAlpha(text[at]) ||
          (at > begin && (IsAsciiDigit(text[at]) || text[at] == '_' || text[at] == '-')))) {
    ++at;
  }
  const std::size_t end = text.substr(at, kAttributesMax).find('>');
  const bool spaced = at < text.size() && (text[at] == ' ' || text[at] == '>');
  if (at == begin || end == std::string_view::npos || !spaced) {
    return std::nullopt;
  }
  tag.name = Lower(text.substr(begin, at - begin));
  tag.attributes = text.substr(at, end);
  tag.bytes = at + end + 1;
  return tag;
}

// The value of the first of `names` among `side="violating"`; empty when there is none.
std::string_view Attribute(std::string_view attributes, std::span<const std::string_view> names) {
  for (const std::string_view name : names) {
    std::size_t at = attributes.find(name);
    while (at != std::string_view::npos) {
      const std::string_view rest = attributes.substr(at + name.size());
      const bool whole = at > 0 && attributes[at - 1] == ' ';
      if (whole && rest.size() > 2 && rest[0] == '=' && (rest[1] == '"' || rest[1] == '\'')) {
        const std::size_t close = rest.find(rest[1], 2);
        if (close != std::string_view::npos) {
          return Trim(rest.substr(2, close - 2));
        }
      }
      at = attributes.find(name, at + 1);
    }
  }
  return {};
}

std::string_view LabelOf(const Tag& tag) {
  constexpr auto names = std::to_array<std::string_view>(
      {"label", "answer", "output", "verdict", "side", "class", "classification", "violation",
       "expected", "decision", "type", "result"});
  return Attribute(tag.attributes, names);
}

std::string_view IdOf(const Tag& tag) {
  constexpr auto names = std::to_array<std::string_view>({"id", "code", "number", "ref"});
  return Attribute(tag.attributes, names);
}

bool IsOneOf(std::string_view name, std::span<const std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

// "not_allowed" -> "Not allowed"; <section name="Violates"> -> "Violates".
std::string TitleOf(const Tag& tag) {
  constexpr auto names = std::to_array<std::string_view>({"name", "title", "heading"});
  std::string title(Attribute(tag.attributes, names));
  if (title.empty()) {
    title = tag.name;
    std::ranges::replace(title, '_', ' ');
    std::ranges::replace(title, '-', ' ');
    title[0] = static_cast<char>(title[0] - ('a' - 'A'));
  }
  if (const std::string_view id = IdOf(tag); !id.empty()) {
    title = std::string(id) + ": " + title;
  }
  const std::string_view label = LabelOf(tag);
  return label.empty() ? title : title + " (" + std::string(label) + ")";
}

// "<input>a</input><label>1</label>" -> "input: a label: 1".
std::string FieldsOf(std::string_view inner) {
  std::string text;
  while (!inner.empty()) {
    const std::optional<Tag> tag = ReadTag(inner);
    const std::size_t take = tag ? tag->bytes : std::min(inner.find('<', 1), inner.size());
    if (tag && !tag->closing) {
      text += (text.empty() ? "" : " ") + tag->name + ": ";
    } else if (!tag) {
      text += Trim(inner.substr(0, take));
    }
    inner.remove_prefix(take);
  }
  return text;
}

class Unfolder {
 public:
  Unfolder(std::vector<Line>& lines, std::deque<std::string>& storage)
      : lines_(lines), storage_(storage) {}

  void Run() {
    FindEnds();
    for (Line& line : lines_) {
      if (line.kind == LineKind::kText || line.kind == LineKind::kItem) {
        Unfold(line);
      }
    }
  }

 private:
  void FindEnds() {
    for (const Line& line : lines_) {
      for (std::size_t at = line.raw.find("</"); at != std::string_view::npos;
           at = line.raw.find("</", at + 2)) {
        if (const std::optional<Tag> tag = ReadTag(line.raw.substr(at))) {
          ended_.insert(tag->name);
        }
      }
    }
  }

  void Unfold(Line& line) {
    const std::optional<Tag> tag = ReadTag(line.body);
    if (!tag || !ended_.contains(tag->name)) {
      DropEnd(line);
      return;
    }
    const std::string_view rest = Trim(line.body.substr(tag->bytes));
    if (tag->closing) {
      depth_ = std::max(depth_ - 1, 0);
      line.kind = rest.empty() ? LineKind::kHidden : line.kind;
      line.body = rest;
      return;
    }
    const std::string end = "</" + tag->name + ">";
    const bool whole =
        rest.size() >= end.size() && EqualsNoCase(rest.substr(rest.size() - end.size()), end);
    if (whole) {
      Element(*tag, Trim(rest.substr(0, rest.size() - end.size())), line);
    } else if (rest.empty()) {
      depth_ = std::min(depth_ + 1, 6);
      line.kind = LineKind::kHeading;
      line.heading = depth_;
      line.body = Keep(TitleOf(*tag));
    }
  }

  // "... </violates>" at the end of a line of text.
  void DropEnd(Line& line) {
    const std::size_t at = line.body.ends_with('>') ? line.body.rfind("</") : std::string::npos;
    if (at == std::string_view::npos || at == 0) {
      return;
    }
    if (const std::optional<Tag> tag = ReadTag(line.body.substr(at));
        tag && at + tag->bytes == line.body.size()) {
      line.body = TrimRight(line.body.substr(0, at));
      depth_ = std::max(depth_ - 1, 0);
    }
  }

  void Element(const Tag& tag, std::string_view inner, Line& line) {
    if (inner.empty()) {
      line.kind = LineKind::kHidden;
      return;
    }
    if (IsOneOf(tag.name, kExampleTags)) {
      line.kind = inner.starts_with('<') ? LineKind::kText : LineKind::kItem;
      line.label = std::string(LabelOf(tag));
      line.body = inner.starts_with('<') ? Keep(FieldsOf(inner)) : inner;
    } else if (IsOneOf(tag.name, kRuleTags)) {
      const std::string_view id = IdOf(tag);
      const std::string_view label = LabelOf(tag);
      line.kind = LineKind::kItem;
      line.body = id.empty() ? inner : Keep(std::string(id) + ": " + std::string(inner));
      line.label = std::string(label);
    } else if (IsOneOf(tag.name, kDefinitionTags)) {
      constexpr auto names = std::to_array<std::string_view>({"term", "name", "word"});
      const std::string_view term = Attribute(tag.attributes, names);
      line.kind = LineKind::kItem;
      line.body = term.empty() ? inner : Keep(std::string(term) + ": " + std::string(inner));
    } else {
      std::string title = TitleOf(tag);
      line.body = Keep(title + ": " + std::string(inner));
    }
  }

  std::string_view Keep(std::string text) { return storage_.emplace_back(std::move(text)); }

  std::vector<Line>& lines_;
  std::deque<std::string>& storage_;
  std::unordered_set<std::string> ended_;
  int depth_ = 0;
};

}  // namespace

void UnfoldTags(std::vector<Line>& lines, std::deque<std::string>& storage) {
  Unfolder(lines, storage).Run();
}

}  // namespace safeguard::moderation::reading
