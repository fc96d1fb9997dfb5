// Which side of the line a title, an output label or a clause is on, from its words alone.
#pragma once

#include <string_view>

#include "moderation/policy.h"

namespace safeguard::moderation::reading {

struct TitleCue {
  Side side = Side::kNone;
  bool exception = false;  // "Exceptions": the other side of whatever stands above
  bool mixed = false;      // names both sides: "Allowed and not allowed"
};

// Titles and introducing lines: "Not violating", "What is allowed", "SAFE (0)", "✅ Fine",
// "Includes".
TitleCue ReadTitleCue(std::string_view title);

// Output labels: "VALID", "1", "S=1, H=0", "{"violation": 1}", "Non-violating", "yes" (violates).
Side LabelSide(std::string_view label);

// A clause that stands by itself: prohibitions ("must not", "No ...", "is prohibited") describe
// what violates; requirements and permissions ("must", "is allowed") describe what complies.
Side ClauseSide(std::string_view clause);

// "Allowed", "Does not violate policy": the side when there is nothing but words of one side.
Side PureCue(std::string_view text);

// "Violates", "SAFE (0)", "Does NOT violate policy (Label: 0)": a title of a side alone.
bool IsOnlySide(std::string_view title);

Side Opposite(Side side);

enum class Role { kUnknown, kCriteria, kDefinitions, kExamples, kInstructions };

// What a section with this title is for, its side aside.
Role TitleRole(std::string_view title);

}  // namespace safeguard::moderation::reading
