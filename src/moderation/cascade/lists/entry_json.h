// One line of a list file.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "moderation/lists.h"

namespace safeguard::moderation::lists {

// kInvalidInput says which field is wrong and how it should be.
Result<ListEntry> ReadEntry(std::string_view line);

// What is wrong with an entry's values and their combination, whoever made it.
Status CheckEntry(const ListEntry& entry);

}  // namespace safeguard::moderation::lists
