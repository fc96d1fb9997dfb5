// "Name: value" lines: "Output: INVALID", "**Content**: ...", "Answer (0 or 1): 1".
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace safeguard::moderation::reading {

enum class FieldKind { kOther, kContent, kLabel, kReason };

struct Field {
  FieldKind kind = FieldKind::kOther;
  std::string name;        // lower case, without markup, number and parentheses
  std::string annotation;  // what stood in parentheses: "SAFE" in "Example (SAFE): ..."
  std::string value;       // without markup
};

// At most four words before the colon. Takes off marks such as ✅ first.
std::optional<Field> ReadField(std::string_view line);

// "... Output: 1" at the end of a line: where the label field begins, npos when there is none.
std::size_t FindInlineLabel(std::string_view value);

// "INVALID + ESCALATE" of "INVALID + ESCALATE when ...": the label that a value leads with.
std::string LeadingLabel(std::string_view value);

}  // namespace safeguard::moderation::reading
