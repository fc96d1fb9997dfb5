#include "moderation/policy/lines.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/utf8.h"
#include "moderation/policy/ids.h"
#include "moderation/policy/scan.h"

namespace safeguard::moderation::reading {
namespace {

constexpr int kTabColumns = 4;
constexpr std::size_t kFenceMax = 16;  // longer fences count as this long
constexpr std::size_t kCellsMax = 32;

std::vector<std::string_view> Split(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

// "```" or "~~~" with at least three marks; what stands after them.
struct Fence {
  std::size_t length = 0;
  char mark = '\0';
  std::string_view info;
};

Fence ReadFence(std::string_view line) {
  line = Trim(line);
  Fence fence;
  if (line.empty() || (line[0] != '`' && line[0] != '~')) {
    return fence;
  }
  const std::size_t n = std::min(line.find_first_not_of(line[0]), line.size());
  if (n < 3 || (line[0] == '`' && line.find('`', n) != std::string_view::npos)) {
    return fence;
  }
  fence.length = std::min(n, kFenceMax);
  fence.mark = line[0];
  fence.info = Trim(line.substr(n));
  return fence;
}

struct Fences {
  std::vector<bool> inside;  // by line: a fence or between two
  int unclosed = -1;         // index of the first opener without an end
};

// An opener that is never closed is text; otherwise one slip of the pen would hide the rest of the
// policy. Looking for the end walks over fence lines only, and each length of fence fails at most
// once, so the work stays linear.
Fences FindFences(const std::vector<std::string_view>& lines) {
  std::vector<std::pair<std::size_t, Fence>> fences;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const Fence fence = ReadFence(lines[i]);
    if (fence.length > 0) {
      fences.emplace_back(i, fence);
    }
  }
  Fences found{std::vector<bool>(lines.size(), false), -1};
  std::array<std::size_t, 2> hopeless = {kFenceMax + 1, kFenceMax + 1};
  for (std::size_t k = 0; k < fences.size(); ++k) {
    const auto& [line, open] = fences[k];
    std::size_t& limit = hopeless[open.mark == '`' ? 0 : 1];
    std::size_t end = fences.size();
    if (open.length < limit) {
      for (end = k + 1; end < fences.size(); ++end) {
        const Fence& close = fences[end].second;
        if (close.mark == open.mark && close.length >= open.length && close.info.empty()) {
          break;
        }
      }
    }
    if (end == fences.size()) {
      limit = std::min(limit, open.length);
      found.unclosed = found.unclosed < 0 ? static_cast<int>(line) : found.unclosed;
      continue;
    }
    for (std::size_t i = line; i <= fences[end].first; ++i) {
      found.inside[i] = true;
    }
    k = end;
  }
  return found;
}

// A policy that stands as a whole in one fence is the policy, not a template.
bool FenceIsWholePolicy(const std::vector<std::string_view>& lines, const std::vector<bool>& in) {
  std::size_t outside = 0;
  std::size_t inside = 0;
  bool heading = false;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string_view text = Trim(lines[i]);
    if (text.empty()) {
      continue;
    }
    (in[i] ? inside : outside) += 1;
    heading = heading || (in[i] && (text.starts_with("# ") || text.starts_with("## ")));
  }
  return heading && inside > 8 * outside + 4;
}

bool IsRulerText(std::string_view text) {
  std::size_t marks = 0;
  for (const char c : text) {
    if (c == text.front()) {
      ++marks;
    } else if (c != ' ' && c != '\t') {
      return false;
    }
  }
  const bool kind =
      text.front() == '-' || text.front() == '*' || text.front() == '_' || text.front() == '=';
  return kind && marks >= 3;
}

// "1.", "12)", "(3)", "a)", "(b)", "iv.": bytes taken and the marker; Persian digits count.
std::size_t OrderedMarker(std::string_view text, std::string* marker) {
  const bool open = text.starts_with('(');
  std::size_t at = open ? 1 : 0;
  const std::size_t begin = at;
  while (at < text.size() && at - begin < 8) {
    const DecodedCodePoint point = DecodeUtf8(text, at);
    const std::string digit = AsciiDigits(text.substr(at, point.length));
    if (digit.size() != 1 || !IsAsciiDigit(digit[0])) {
      break;
    }
    at += point.length;
  }
  if (at == begin) {
    while (at < text.size() && at - begin < 4 && IsAsciiAlpha(text[at])) {
      ++at;
    }
    const std::string_view letters = text.substr(begin, at - begin);
    const bool roman = letters.find_first_not_of("ivx") == std::string_view::npos;
    if (letters.empty() || (letters.size() > 1 && !roman)) {
      return 0;
    }
  }
  const std::string_view name = text.substr(begin, at - begin);
  if (name.empty() || AsciiDigits(name).size() > 3 || at >= text.size()) {
    return 0;
  }
  const bool closed = open ? text[at] == ')' : text[at] == '.' || text[at] == ')';
  // "(S)" opens a word, "(a)" a clause; "A. Smith" does not open a list.
  const bool upper = IsAsciiUpper(name.front());
  if (!closed || (upper && (open || text[at] == '.'))) {
    return 0;
  }
  ++at;
  if (at < text.size() && text[at] != ' ' && text[at] != '\t') {
    return 0;
  }
  *marker = AsciiDigits(name);
  return at;
}

std::size_t BulletBytes(std::string_view text) {
  for (const std::string_view bullet : {"•", "‣", "◦", "▪", "●", "○", "■", "·", "➤", "►", "⁃"}) {
    if (text.starts_with(bullet)) {
      return bullet.size();
    }
  }
  const bool plain = text.starts_with('-') || text.starts_with('*') || text.starts_with('+');
  const bool dash = text.starts_with("– ") || text.starts_with("— ");
  if (plain && text.size() > 1 && (text[1] == ' ' || text[1] == '\t')) {
    return 1;
  }
  return dash ? 3 : 0;
}

void ReadItemOrText(std::string_view text, Line& line) {
  line.kind = LineKind::kText;
  if (const std::size_t bullet = BulletBytes(text); bullet > 0) {
    line.kind = LineKind::kItem;
    text = TrimLeft(text.substr(bullet));
    if (text.starts_with("[ ]") || text.starts_with("[x]") || text.starts_with("[X]")) {
      text = TrimLeft(text.substr(3));
    }
    // "- (a) text": the letter is the clause's.
    std::string letter;
    const std::size_t bytes = OrderedMarker(text, &letter);
    if (bytes > 0 && letter.size() == 1 && IsAsciiAlpha(letter.front())) {
      line.marker = letter;
      text = TrimLeft(text.substr(bytes));
    }
  } else if (const std::size_t bytes = OrderedMarker(text, &line.marker); bytes > 0) {
    line.kind = LineKind::kItem;
    text = TrimLeft(text.substr(bytes));
  }
  line.body = text;
}

void Classify(std::string_view raw, Line& line) {
  std::size_t at = 0;
  for (; at < raw.size() && (raw[at] == ' ' || raw[at] == '\t'); ++at) {
    line.indent += raw[at] == '\t' ? kTabColumns - line.indent % kTabColumns : 1;
  }
  std::string_view text = Trim(raw);
  for (int depth = 0; depth < 4 && text.starts_with('>'); ++depth) {
    line.quoted = true;
    text = TrimLeft(text.substr(1));
  }
  line.body = text;
  if (text.empty()) {
    line.kind = LineKind::kBlank;
    return;
  }
  const std::size_t hashes = std::min(text.find_first_not_of('#'), text.size());
  if (hashes > 0 && hashes <= 6 && hashes < text.size() &&
      (text[hashes] == ' ' || text[hashes] == '\t' || hashes > 1)) {
    line.kind = LineKind::kHeading;
    line.heading = static_cast<int>(hashes);
    text = Trim(text.substr(hashes));
    while (text.ends_with('#')) {
      text.remove_suffix(1);
    }
    line.body = Trim(text);
    return;
  }
  if (IsRulerText(text)) {
    line.kind = LineKind::kRuler;
  } else if (text.starts_with('|')) {
    line.kind = LineKind::kTableRow;
  } else if (text.starts_with("[^") && text.find("]:") != std::string_view::npos) {
    line.kind = LineKind::kHidden;
  } else {
    ReadItemOrText(text, line);
  }
}

// Hides "<!-- ... -->" that has an end; returns whether the comment goes on after this line.
bool HideComment(bool inside, bool has_end_later, Line& line) {
  if (!inside && !(line.body.starts_with("<!--") && has_end_later)) {
    return false;
  }
  line.kind = LineKind::kHidden;
  return line.raw.find("-->") == std::string_view::npos;
}

void MarkUnderlines(std::vector<Line>& lines) {
  for (std::size_t i = 1; i < lines.size(); ++i) {
    Line& title = lines[i - 1];
    const bool single = i < 2 || lines[i - 2].kind != LineKind::kText;
    if (lines[i].kind != LineKind::kRuler || lines[i].fenced || title.kind != LineKind::kText ||
        !single || title.body.size() > 100 || title.body.ends_with('.') || title.quoted) {
      continue;
    }
    const char mark = Trim(lines[i].raw).front();
    if (mark == '=' || mark == '-') {
      title.kind = LineKind::kHeading;
      title.heading = mark == '=' ? 1 : 2;
      lines[i].kind = LineKind::kHidden;
    }
  }
}

// Tables without outer bars: a row of dashes and bars under a line with bars.
void MarkBareTables(std::vector<Line>& lines) {
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const bool bars = lines[i].raw.find('|') != std::string_view::npos;
    if (lines[i].kind == LineKind::kHidden || !bars || !IsDelimiterRow(lines[i].raw) ||
        lines[i - 1].body.find('|') == std::string_view::npos) {
      continue;
    }
    lines[i - 1].kind = LineKind::kTableRow;
    for (; i < lines.size() && lines[i].raw.find('|') != std::string_view::npos; ++i) {
      lines[i].kind = LineKind::kTableRow;
    }
  }
}

}  // namespace

std::vector<Line> ReadLines(std::string_view text, int first_line) {
  const std::vector<std::string_view> raw = Split(text);
  Fences fences = FindFences(raw);
  const bool unwrap = FenceIsWholePolicy(raw, fences.inside);
  const std::size_t last_comment_end = text.rfind("-->");
  std::vector<Line> lines(raw.size());
  bool comment = false;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    Line& line = lines[i];
    line.number = first_line + static_cast<int>(i);
    line.raw = raw[i];
    Classify(raw[i], line);
    line.fenced = fences.inside[i] && !unwrap;
    if (fences.inside[i] && (line.fenced || ReadFence(raw[i]).length > 0)) {
      line.kind = LineKind::kHidden;
      continue;
    }
    const auto offset = static_cast<std::size_t>(raw[i].data() - text.data());
    comment = HideComment(
        comment, last_comment_end != std::string_view::npos && last_comment_end > offset, line);
  }
  MarkUnderlines(lines);
  MarkBareTables(lines);
  return lines;
}

int UnclosedFenceLine(std::string_view text, int first_line) {
  const Fences fences = FindFences(Split(text));
  return fences.unclosed < 0 ? 0 : first_line + fences.unclosed;
}

std::vector<std::string_view> Cells(std::string_view row) {
  row = Trim(row);
  if (row.starts_with('|')) {
    row.remove_prefix(1);
  }
  std::vector<std::string_view> cells;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < row.size() && cells.size() < kCellsMax; ++i) {
    if (row[i] == '\\') {
      ++i;
    } else if (row[i] == '|') {
      cells.push_back(Trim(row.substr(begin, i - begin)));
      begin = i + 1;
    }
  }
  if (begin < row.size() && cells.size() < kCellsMax) {
    cells.push_back(Trim(row.substr(begin)));
  }
  return cells;
}

bool IsDelimiterRow(std::string_view row) {
  row = Trim(row);
  return row.find('-') != std::string_view::npos &&
         row.find_first_not_of("|-: \t") == std::string_view::npos &&
         row.find('|') != std::string_view::npos;
}

}  // namespace safeguard::moderation::reading
