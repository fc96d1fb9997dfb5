// Policies written between tags: <violates> ... </violates>, <rule id="V1">, <example label="1">.
// The tags are turned into the headings, items and fields that the rest of the reader knows.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "moderation/policy/lines.h"

namespace safeguard::moderation::reading {

// Rewrites lines that are a tag, or one element, in place. A tag counts only when its end tag is
// somewhere in the text, so "<content>" as a placeholder stays text. `storage` keeps the rewritten
// texts alive; it must outlive `lines`.
void UnfoldTags(std::vector<Line>& lines, std::deque<std::string>& storage);

}  // namespace safeguard::moderation::reading
