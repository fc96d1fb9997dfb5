// YAML front matter between two "---" lines at the top of a policy.
//
// A bounded part of YAML 1.2 only: maps, lists and scalars, at most kDepthMax deep. Anchors,
// aliases and tags are refused, because a policy has no use for them and they are how YAML
// documents blow up. Unknown keys are left alone; a known key of the wrong type is an error that
// names its line.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"
#include "moderation/policy.h"

namespace safeguard::moderation::reading {

struct FrontMatterSpan {
  bool present = false;
  std::string_view yaml;    // between the two fences
  std::size_t body_at = 0;  // offset where the body begins
  int yaml_line = 2;        // line of the file where `yaml` begins
  int body_line = 1;        // line of the file where the body begins
};

// Where front matter stands in `text` (newlines already "\n"). A "---" that opens an ordinary text
// is a ruler and not front matter. Fails when it is opened and never closed, or is too long.
Result<FrontMatterSpan> FindFrontMatter(std::string_view text);

// Reads the keys id, name (or title), version, labels, languages (or language), output, thresholds
// into `policy`.
Status ReadFrontMatter(const FrontMatterSpan& span, Policy& policy);

}  // namespace safeguard::moderation::reading
