// The golden sheet of OpenAI's spam policy: section rows, labelled rows, rows of metrics.
#pragma once

#include <string>

#include "base/result.h"
#include "eval/benchmark_sets.h"

namespace safeguard::eval {

// Adds the labelled rows of the sheet. A row is one when its second cell holds a text and its tenth
// a level; the section is the last row before it that holds only a level in its first cell.
Status ReadSpamSheet(const std::string& path, bool label_by_section, Dataset& dataset);

}  // namespace safeguard::eval
