// The policies behind the categories of /v1/moderations that no other shipped policy stands for:
// policies/openai/*/{policy.md,golden.jsonl}, put into the binary by cmake/EmbedFiles.cmake.
#pragma once

#include <span>

#include "apps/input/embedded_file.h"

namespace safeguard::apps {

// In order of path, which is relative to policies/openai/.
std::span<const EmbeddedFile> EmbeddedPackFiles();

}  // namespace safeguard::apps
