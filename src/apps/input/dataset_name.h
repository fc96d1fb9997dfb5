// Which named data set a file of labelled data is (eval/benchmark_sets.h), by what it begins with.
#pragma once

#include <string>

#include "base/result.h"

namespace safeguard::apps {

// "openai-moderation", "toxicchat", "hatecheck", "xstest", "guardrails", "golden" or "generic"; the
// others must be named. Fails when
// the path is a directory; other trouble is left to the reader.
Result<std::string> GuessDatasetName(const std::string& path);

}  // namespace safeguard::apps
