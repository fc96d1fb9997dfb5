// Where clauses begin and end among the lines of a policy.
#pragma once

#include <cstddef>
#include <set>
#include <string_view>
#include <vector>

#include "moderation/policy.h"

namespace safeguard::moderation::reading {

// Every line with its newline: joined they are the text.
std::vector<std::string_view> SplitLines(std::string_view text);

// Lines of the file on which a rule, definition, example or level begins.
std::set<int> ClauseStarts(const Policy& policy);

// The last line of what begins at lines[begin]: lines that continue it, up to a blank line, a
// heading, a table, or the beginning of another item or clause. `first_line` is that of lines[0].
std::size_t NaturalEnd(const std::vector<std::string_view>& lines, std::size_t begin,
                       const std::set<int>& starts, int first_line);

}  // namespace safeguard::moderation::reading
