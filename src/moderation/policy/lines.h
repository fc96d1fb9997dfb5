// The lines of a policy with what each one is in Markdown: item, table row, code, quotation, ...
// A line-based reading is enough for policies and, unlike full Markdown, has no hard cases.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace safeguard::moderation::reading {

enum class LineKind {
  kBlank,
  kText,
  kHeading,  // "## Title", or a title underlined with === or ---
  kItem,     // bulleted, numbered or lettered
  kTableRow,
  kRuler,   // ---
  kHidden,  // inside a code fence or comment, a footnote, an underline
};

struct Line {
  LineKind kind = LineKind::kBlank;
  int number = 0;         // 1-based in the file
  int indent = 0;         // columns before the text
  int heading = 0;        // 1..6 for kHeading
  bool quoted = false;    // stood behind ">"
  bool fenced = false;    // stands in a code fence
  bool marked = false;    // an item whose mark is a picture: "✅ Asking a question"
  std::string marker;     // of a numbered or lettered item: "1", "a"; empty for bullets
  std::string label;      // of an element between tags: <example label="1">
  std::string_view raw;   // the whole line
  std::string_view body;  // the text after indentation and markers, trimmed
};

// `first_line`: the line of the file where `text` begins. `text` must outlive the result.
std::vector<Line> ReadLines(std::string_view text, int first_line);

// The line of the file with a code fence that is never closed; 0 when there is none.
int UnclosedFenceLine(std::string_view text, int first_line);

// The cells of a table row, trimmed, with "\|" taken as text; at most 32.
std::vector<std::string_view> Cells(std::string_view row);

// "|---|:--:|"
bool IsDelimiterRow(std::string_view row);

}  // namespace safeguard::moderation::reading
