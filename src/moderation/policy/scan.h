// Small hand-written scanners over one line of text. Everything is linear in its input: policies
// come from outside, so there is no backtracking anywhere in this folder.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "moderation/policy.h"

namespace safeguard::moderation::reading {

// Spaces, tabs, no-break and zero-width spaces, byte order and direction marks.
std::string_view TrimLeft(std::string_view text);
std::string_view TrimRight(std::string_view text);
std::string_view Trim(std::string_view text);

bool IsAsciiAlpha(char c);
bool IsAsciiUpper(char c);
bool IsAsciiDigit(char c);

// Lower case for ASCII, Latin-1, Greek and Cyrillic letters: enough for the words of words.cc.
std::string Lower(std::string_view text);

// The first `limit` words, in lower case. Letters, digits and inner apostrophes make words; hyphens
// and all punctuation part them, so "Non-violating" is two words and "doesn't" is one.
std::vector<std::string> Words(std::string_view text, std::size_t limit = 48);

// Without bold, code and link markers and without backslash escapes; inner text is kept.
std::string StripMarkup(std::string_view text);

// One of the marks that people put before a heading or a list item: its side, and the bytes it
// takes with the spaces after it; 0 bytes when there is none.
struct Mark {
  std::size_t bytes = 0;
  Side side = Side::kNone;
};
Mark LeadingMark(std::string_view text);

// Bytes of the quotation mark at the start (", “, ”, „, «, », ‘, ', 「, 『), 0 when there is none.
std::size_t QuoteBytes(std::string_view text);

// Bytes of the dash (-, –, —, ‑) or arrow (->, =>, →, ⇒, ➔) at the start; 0 when there is none.
std::size_t DashBytes(std::string_view text);
std::size_t ArrowBytes(std::string_view text);

// Offset of the last arrow that is not inside quotation marks, and its length; npos when none.
struct Span {
  std::size_t at = std::string_view::npos;
  std::size_t bytes = 0;
};
Span LastArrow(std::string_view text);

// The text inside when all of it stands in one pair of quotation marks, else the trimmed text.
std::string_view Unquote(std::string_view text);

// All cased ASCII letters before the first "(" are capitals, and there are at least two.
bool IsAllCaps(std::string_view text);

// Decimal digits of Arabic, Persian, Devanagari and full-width scripts as ASCII.
std::string AsciiDigits(std::string_view text);

bool EqualsNoCase(std::string_view a, std::string_view b);
std::size_t FindNoCase(std::string_view text, std::string_view lower_needle);

// Lower-case ASCII letters and digits joined by "-"; empty when nothing is left.
std::string Slug(std::string_view text);

}  // namespace safeguard::moderation::reading
