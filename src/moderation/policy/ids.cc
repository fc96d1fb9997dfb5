#include "moderation/policy/ids.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "moderation/policy/scan.h"
#include "moderation/policy/sides.h"

namespace safeguard::moderation::reading {
namespace {

constexpr std::size_t kLettersMax = 8;
constexpr auto kLevelKeywords = std::to_array<std::string_view>(
    {"level", "tier", "severity", "category", "class", "grade", "band", "stufe", "niveau", "nivel",
     "nível", "kategorie", "catégorie", "categoría", "categoria", "уровень", "سطح"});
constexpr auto kRuleKeywords =
    std::to_array<std::string_view>({"rule", "clause", "article", "regel", "règle", "regla"});

bool IsIdChar(char c) {
  return IsAsciiAlpha(c) || IsAsciiDigit(c) || c == '_';
}

std::size_t CountDigits(std::string_view text, std::size_t limit) {
  std::size_t n = 0;
  while (n < text.size() && n < limit && IsAsciiDigit(text[n])) {
    ++n;
  }
  return n;
}

bool BoundaryAt(std::string_view text, std::size_t at) {
  return at >= text.size() || !IsIdChar(text[at]);
}

bool IsRoman(std::string_view text) {
  return !text.empty() && text.size() <= 4 &&
         text.find_first_not_of("ivx") == std::string_view::npos;
}

// One part below: ".a", "-2", ".12", ".iv", "(a)", or a single lower-case letter. Its bytes or 0.
std::size_t PartBytes(std::string_view text) {
  if (text.empty()) {
    return 0;
  }
  if (text[0] >= 'a' && text[0] <= 'z') {
    return BoundaryAt(text, 1) ? 1 : 0;
  }
  if (text[0] != '.' && text[0] != '-' && text[0] != '(') {
    return 0;
  }
  const std::string_view rest = text.substr(1);
  std::size_t n = CountDigits(rest, 3);
  if (n == 0) {
    while (n < rest.size() && n < 5 && IsAsciiAlpha(rest[n])) {
      ++n;
    }
    if (n > 1 && !IsRoman(rest.substr(0, n))) {
      return 0;
    }
  }
  if (n == 0 || (n < rest.size() && IsIdChar(rest[n]))) {
    return 0;
  }
  if (text[0] == '(') {
    return n < rest.size() && rest[n] == ')' ? n + 2 : 0;
  }
  return n + 1;
}

std::optional<IdMatch> MatchLettered(std::string_view text) {
  std::size_t letters = 0;
  while (letters < text.size() && IsAsciiUpper(text[letters])) {
    ++letters;
  }
  if (letters == 0 || letters > kLettersMax) {
    return std::nullopt;
  }
  std::size_t at = letters;
  if (text.substr(at).starts_with("‑")) {
    at += 3;
  } else if (at < text.size() && (text[at] == '-' || text[at] == '.' || text[at] == '_')) {
    ++at;
  }
  const std::size_t digits = CountDigits(text.substr(at), 4);
  if (digits == 0) {
    return std::nullopt;
  }
  at += digits;
  IdMatch match;
  match.family = std::string(text.substr(0, letters));
  std::size_t parent = 0;
  while (const std::size_t part = PartBytes(text.substr(at))) {
    parent = at;
    at += part;
  }
  const bool joined = at + 1 < text.size() && text[at] == '-' && IsAsciiAlpha(text[at + 1]);
  if (!BoundaryAt(text, at) || joined) {
    return std::nullopt;  // "SP2-related", "MP3player"
  }
  match.compound = parent > 0;
  match.parent = std::string(text.substr(0, parent));
  match.id = std::string(text.substr(0, at));
  match.bytes = at;
  return match;
}

std::optional<IdMatch> MatchNumbered(std::string_view text) {
  std::size_t at = CountDigits(text, 3);
  if (at == 0) {
    return std::nullopt;
  }
  std::size_t parent = 0;
  for (std::size_t part = PartBytes(text.substr(at)); part > 0; part = PartBytes(text.substr(at))) {
    if (text[at] != '.') {
      break;
    }
    parent = at;
    at += part;
  }
  if (parent == 0 || !BoundaryAt(text, at)) {
    return std::nullopt;
  }
  IdMatch match;
  match.compound = true;
  match.parent = std::string(text.substr(0, parent));
  match.id = std::string(text.substr(0, at));
  match.bytes = at;
  return match;
}

bool IsKeyword(std::string_view word, std::span<const std::string_view> keywords) {
  return std::ranges::find(keywords, word) != keywords.end();
}

std::optional<IdMatch> MatchKeyword(std::string_view text) {
  const std::size_t space = text.substr(0, 32).find(' ');
  if (space == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string word = Lower(text.substr(0, space));
  if (!IsKeyword(word, kLevelKeywords) && !IsKeyword(word, kRuleKeywords)) {
    return std::nullopt;
  }
  std::size_t at = space + 1;
  std::size_t n = CountDigits(text.substr(at), 3);
  if (n == 0 && at < text.size() && IsAsciiUpper(text[at])) {
    n = 1;
  }
  at += n;
  if (n == 0 || !BoundaryAt(text, at)) {
    return std::nullopt;
  }
  IdMatch match;
  match.keyword = true;
  match.family = word;
  match.id = std::string(text.substr(0, at));
  match.bytes = at;
  return match;
}

std::size_t SeparatorBytes(std::string_view text) {
  const std::string_view trimmed = TrimLeft(text);
  const std::size_t spaces = text.size() - trimmed.size();
  if (trimmed.empty()) {
    return 0;
  }
  if (const std::size_t dash = DashBytes(trimmed); dash > 0 && ArrowBytes(trimmed) == 0) {
    return spaces + dash;
  }
  const char c = trimmed.front();
  if (c == ':' || c == '|' || c == ')' || (c == '.' && spaces == 0)) {
    return spaces + 1;
  }
  return trimmed.starts_with("：") || trimmed.starts_with("، ") ? spaces + 3 : 0;
}

bool IsCode(std::string_view text, std::size_t longest) {
  return !text.empty() && text.size() <= longest && IsAsciiUpper(text.front()) &&
         std::ranges::all_of(text, [](char c) { return IsAsciiUpper(c) || IsAsciiDigit(c); });
}

std::string NameFrom(std::string_view text) {
  text = Trim(text);
  if (const std::size_t separator = SeparatorBytes(text); separator > 0) {
    text = TrimLeft(text.substr(separator));
  }
  text.remove_prefix(LeadingMark(text).bytes);
  while (!text.empty() && (text.back() == ':' || text.back() == '.' || text.back() == '-')) {
    text.remove_suffix(1);
  }
  return std::string(Trim(text));
}

LevelTitle FromMatch(const IdMatch& match, std::string name) {
  LevelTitle level;
  level.id = match.id;
  level.name = std::move(name);
  level.strong = true;
  level.compound = match.compound;
  level.rule_keyword = match.keyword && IsKeyword(match.family, kRuleKeywords);
  return level;
}

// "(SP2 – Medium)" or "(SP2)" anywhere in the title.
std::optional<LevelTitle> FromParenthesis(std::string_view title, const FamilyCounts& counts) {
  for (std::size_t open = title.find('('); open != std::string_view::npos;
       open = title.find('(', open + 1)) {
    const std::size_t close = title.find(')', open);
    if (close == std::string_view::npos) {
      return std::nullopt;
    }
    const std::string_view inner = Trim(title.substr(open + 1, close - open - 1));
    const std::optional<IdMatch> match = MatchId(inner);
    if (!match || (match->family.empty() && !match->keyword)) {
      continue;
    }
    const std::string_view rest = inner.substr(match->bytes);
    const auto siblings = counts.find(match->family);
    const bool alone = siblings == counts.end() || siblings->second < 2;
    if (rest.empty() ? alone && !match->keyword : SeparatorBytes(rest) == 0) {
      continue;  // "(COVID-19)", "(S1 content is out)", "(S3=1)"
    }
    std::string name = NameFrom(title.substr(0, open));
    if (name.empty()) {
      name = NameFrom(title.substr(close + 1));
    }
    return FromMatch(*match, name.empty() ? NameFrom(rest) : name);
  }
  return std::nullopt;
}

// "(DRUGS) Drugs", "[HR] Harassment", "S (Sexual) – VIOLATES".
std::optional<LevelTitle> FromCode(std::string_view title) {
  LevelTitle level;
  if (title.starts_with('(') || title.starts_with('[')) {
    const std::size_t close = title.find_first_of(")]");
    if (close == std::string_view::npos || !IsCode(title.substr(1, close - 1), kLettersMax)) {
      return std::nullopt;
    }
    level.id = std::string(title.substr(1, close - 1));
    level.name = NameFrom(title.substr(close + 1));
  } else {
    const std::size_t open = title.find('(');
    const std::size_t close = title.find(')', open);
    if (open == std::string_view::npos || close == std::string_view::npos) {
      return std::nullopt;
    }
    const std::string_view code = Trim(title.substr(0, open));
    const std::string_view name = Trim(title.substr(open + 1, close - open - 1));
    if (!IsCode(code, 5) || name.size() < 2 || LabelSide(name) != Side::kNone || IsAllCaps(name)) {
      return std::nullopt;
    }
    level.id = std::string(code);
    level.name = std::string(name);
  }
  if (ReadTitleCue(level.id).side != Side::kNone || TitleRole(level.id) != Role::kUnknown ||
      level.name.empty()) {
    return std::nullopt;
  }
  return level;
}

}  // namespace

std::optional<IdMatch> MatchId(std::string_view text) {
  const bool bracket = text.starts_with('[') || text.starts_with('(');
  std::string_view inner = bracket ? text.substr(1) : text;
  const std::size_t hash = inner.starts_with('#') && bracket ? 1 : 0;
  inner.remove_prefix(hash);
  std::optional<IdMatch> match = MatchLettered(inner);
  if (!match) {
    match = MatchNumbered(inner);
  }
  if (!match) {
    match = MatchKeyword(inner);
  }
  if (!match || !bracket) {
    return match;
  }
  const char close = text.front() == '[' ? ']' : ')';
  if (match->bytes >= inner.size() || inner[match->bytes] != close || hash > 0) {
    return std::nullopt;
  }
  match->bracketed = true;
  match->bytes += 2;
  return match;
}

std::optional<LeadingId> MatchLeadingId(std::string_view text) {
  const std::string_view start = text;
  text.remove_prefix(LeadingMark(text).bytes);
  std::optional<IdMatch> match = MatchId(text);
  if (!match) {
    return std::nullopt;
  }
  LeadingId found;
  const std::size_t separator = SeparatorBytes(text.substr(match->bytes));
  found.separated = separator > 0;
  const std::string_view rest = TrimLeft(text.substr(match->bytes + separator));
  found.rest_at = start.size() - rest.size();
  found.match = *std::move(match);
  return found;
}

namespace {

// Whether two ids of one make, such as V1 and V2, lead lines.
bool HasNumberedLetter(const FamilyCounts& family_counts) {
  for (char letter = 'A'; letter <= 'Z'; ++letter) {
    const auto found = family_counts.find(std::string(1, letter));
    if (found != family_counts.end() && found->second >= 2) {
      return true;
    }
  }
  return false;
}

}  // namespace

bool IsConvincing(const LeadingId& id, bool emphasised, const FamilyCounts& family_counts) {
  const IdMatch& match = id.match;
  if (match.bracketed || match.keyword || emphasised) {
    return true;
  }
  if (match.compound && !match.family.empty()) {
    return true;
  }
  const auto found = family_counts.find(match.family);
  const std::size_t siblings = found == family_counts.end() ? 0 : found->second;
  // "S1 ..." alone where V1 and V2 are: ids of one make.
  const bool kin =
      match.family.size() == 1 && match.id.size() == 2 && HasNumberedLetter(family_counts);
  return siblings >= 2 || kin ||
         (id.separated && match.family.size() <= 3 && !match.family.empty());
}

std::optional<IdMatch> MatchAnyLeadingId(std::string_view line) {
  if (const std::optional<LeadingId> id = MatchLeadingId(line)) {
    return id->match;
  }
  const std::size_t open = line.substr(0, 200).find('(');
  return open == std::string_view::npos ? std::nullopt : MatchId(line.substr(open + 1));
}

std::optional<LevelTitle> ReadLevelTitle(std::string_view title, const FamilyCounts& counts) {
  title.remove_prefix(LeadingMark(title).bytes);
  title = Trim(title);
  if (title.size() > 200) {
    return std::nullopt;
  }
  if (const std::optional<LeadingId> id = MatchLeadingId(title); id && !id->match.family.empty()) {
    const std::string_view rest = TrimLeft(title.substr(id->match.bytes));
    const bool named = rest.starts_with('(') && rest.find(')') != std::string_view::npos;
    if (named) {
      return FromMatch(id->match, std::string(Trim(rest.substr(1, rest.find(')') - 1))));
    }
    if (!rest.starts_with('=') && (id->separated || IsConvincing(*id, false, counts))) {
      return FromMatch(id->match, NameFrom(title.substr(id->rest_at)));
    }
  }
  if (std::optional<LevelTitle> level = FromParenthesis(title, counts)) {
    return level;
  }
  return FromCode(title);
}

std::optional<int> SeverityOf(const IdMatch& match) {
  if (match.compound || match.family.empty()) {
    return std::nullopt;
  }
  int value = 0;
  bool any = false;
  // After a dot or dash the digits are a number in a list ("R-3", "TVEC.01"), not a severity.
  const std::string_view tail = std::string_view(match.id).substr(match.family.size());
  if (!match.keyword && (tail.empty() || !IsAsciiDigit(tail.front()))) {
    return std::nullopt;
  }
  for (const char c : tail) {
    if (IsAsciiDigit(c)) {
      value = value * 10 + (c - '0');
      any = true;
    }
  }
  return any ? std::optional<int>(value) : std::nullopt;
}

std::vector<IdToken> FindIds(std::string_view text) {
  std::vector<IdToken> tokens;
  for (std::size_t i = 0; i < text.size();) {
    const bool starts = i == 0 || !IsIdChar(text[i - 1]);
    if (!starts || !IsAsciiUpper(text[i])) {
      ++i;
      continue;
    }
    const bool dual = i + 2 < text.size() && text[i + 1] == '-' && IsAsciiUpper(text[i + 2]);
    const std::size_t at = dual ? i + 2 : i;
    std::optional<IdMatch> match = MatchLettered(text.substr(at));
    const std::size_t end = match ? at + match->bytes : i + 1;
    if (match) {
      tokens.push_back({*std::move(match), i, end});
    }
    i = end;
  }
  return tokens;
}

std::vector<std::string> IdTokens(std::string_view text) {
  std::vector<std::string> ids;
  for (IdToken& token : FindIds(text)) {
    ids.push_back(std::move(token.match.id));
  }
  return ids;
}

std::string FoldId(std::string_view id) {
  std::string out;
  for (const char c : Lower(Trim(id))) {
    if (c == '(' || c == '[' || c == '.') {
      if (!out.empty() && out.back() != '.') {
        out += '.';
      }
    } else if (c != ')' && c != ']' && c != '#' && c != '`' && c != '*' && c != ':') {
      out += c;
    }
  }
  while (!out.empty() && out.back() == '.') {
    out.pop_back();
  }
  return out;
}

}  // namespace safeguard::moderation::reading
