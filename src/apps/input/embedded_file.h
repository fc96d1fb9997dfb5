// Files that are part of the binary: policies/*/{policy.md,golden.jsonl}, put there by
// cmake/EmbedFiles.cmake.
#pragma once

#include <span>
#include <string_view>

namespace safeguard::apps {

struct EmbeddedFile {
  std::string_view path;  // relative to policies/: "spam/policy.md"
  std::string_view bytes;
};

// In order of path.
std::span<const EmbeddedFile> EmbeddedPolicyFiles();

}  // namespace safeguard::apps
