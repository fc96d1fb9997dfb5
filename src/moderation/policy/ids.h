// Rule and level ids as people write them: "SP2.a", "D1.2", "R-3", "H.2", "TVEC.01", "1.2",
// "[H1]", "Level 2", "(DRUGS)".
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace safeguard::moderation::reading {

struct IdMatch {
  std::string id;         // as written, without brackets
  std::string family;     // its letters, "SP"; the keyword for "Level 2"; empty for "1.2"
  std::string parent;     // without the last part: "SP2" of "SP2.a"; "" of "SP2"
  std::size_t bytes = 0;  // taken from the text
  bool compound = false;  // has a part below: "SP2.a", "1.2"
  bool bracketed = false;
  bool keyword = false;  // "Level 2", "Rule 4"
};

// An id at the very start of `text` that ends at a word boundary.
std::optional<IdMatch> MatchId(std::string_view text);

// An id that leads a line and the text after it and its separator. `family_counts` tells how many
// different ids of a family lead lines in this policy: "R-3 Selling ..." is an id where R-1 and R-2
// are there too, "PG-13 films" is not.
struct LeadingId {
  IdMatch match;
  std::size_t rest_at = 0;  // where the text after the separator begins
  bool separated = false;   // ":", "–", ")" or the like stands between
};
std::optional<LeadingId> MatchLeadingId(std::string_view text);

using FamilyCounts = std::unordered_map<std::string, std::size_t>;
bool IsConvincing(const LeadingId& id, bool emphasised, const FamilyCounts& family_counts);

// A title that names a level: "Likely Spam (SP2 – Medium)", "SP2: Likely spam", "(DRUGS) Drugs",
// "S (Sexual) – VIOLATES", "Level 2 – Serious".
struct LevelTitle {
  std::string id;
  std::string name;
  bool strong = false;        // letters and digits, or a keyword; not a bare code such as "DRUGS"
  bool compound = false;      // "SP2.a Cold promotion": a rule that has a heading of its own
  bool rule_keyword = false;  // "Rule 4"
};
std::optional<LevelTitle> ReadLevelTitle(std::string_view title, const FamilyCounts& counts);

// The ids a line leads with or has in parentheses, for counting families.
std::optional<IdMatch> MatchAnyLeadingId(std::string_view line);

// The severity digit of an id such as "SP0" or "Level 2"; nothing for ids without one.
std::optional<int> SeverityOf(const IdMatch& match);

// Every id-shaped token in `text`, in order, with the "D-" and "R-" of dual labels taken off.
struct IdToken {
  IdMatch match;
  std::size_t begin = 0;
  std::size_t end = 0;
};
std::vector<IdToken> FindIds(std::string_view text);
std::vector<std::string> IdTokens(std::string_view text);

// For lookups that forgive writing: lower case, "(", ")", "[", "]", "#", "." and spaces reduced.
std::string FoldId(std::string_view id);

}  // namespace safeguard::moderation::reading
