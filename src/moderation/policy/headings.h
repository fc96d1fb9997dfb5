// Headings, of every make: Markdown, bold lines, capitals, pictures, "Allowed content:", "1.
// TITLE".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "moderation/policy/ids.h"
#include "moderation/policy/lines.h"
#include "moderation/policy/sides.h"

namespace safeguard::moderation::reading {

struct Heading {
  enum class Make { kMarkdown, kBold, kPlain, kLabel };  // kLabel: "Examples:"
  Make make = Make::kMarkdown;
  std::string title;   // without markup, mark and closing colon
  int level = 2;       // kLabel: decided by where it stands
  std::string number;  // of "1. TITLE" or "1.2 Title"
  TitleCue cue;
  Role role = Role::kUnknown;
  std::optional<LevelTitle> names_level;
  bool is_title = false;  // the title of the whole policy
};

// What is known of the whole policy before its headings are read.
struct Survey {
  FamilyCounts families;                    // different leading ids by family
  std::unordered_set<std::string> parents;  // "SP2" when some line leads with "SP2.a"
  std::size_t first = 0;                    // index of the first line with text
  int markdown_depth = 0;                   // deepest Markdown heading, 0 when there is none
  std::size_t first_headings = 0;           // Markdown headings as deep as the first one
};
Survey TakeSurvey(const std::vector<Line>& lines);

std::optional<Heading> ReadHeading(const std::vector<Line>& lines, std::size_t at,
                                   const Survey& survey);

}  // namespace safeguard::moderation::reading
