// The readers of the named data sets, one function each. What their labels mean stands in
// benchmark_sets.h.
#pragma once

#include <string>

#include "base/result.h"
#include "eval/benchmark_sets.h"

namespace safeguard::eval {

// `label`: judge by this one of the set's labels; empty: by any.
Status LoadModeration(const std::string& path, const std::string& label, Dataset& dataset);
Status LoadGuardrails(const std::string& path, const std::string& label, Dataset& dataset);
Status LoadToxicChat(const std::string& path, Dataset& dataset);
Status LoadHateCheck(const std::string& path, Dataset& dataset);
Status LoadXsTest(const std::string& path, Dataset& dataset);
Status LoadSpam(const std::string& path, bool label_by_section, Dataset& dataset);
Status LoadTeenSafety(const std::string& path, bool prompts_only, Dataset& dataset);

}  // namespace safeguard::eval
