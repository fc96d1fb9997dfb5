// A small YAML tree with line numbers, built from yaml-cpp's events so that anchors, aliases, tags,
// depth and size can be refused before anything is expanded.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace safeguard::moderation::reading {

struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  std::string scalar;
  int line = 0;                    // in the file
  std::vector<YamlNode> children;  // of a map: key, value, key, value, ...
};

inline constexpr int kYamlDepthMax = 8;
inline constexpr std::size_t kYamlNodesMax = 4096;

// `first_line`: the line of the file where `yaml` begins; every message names a line of `what`.
Result<YamlNode> ReadYaml(std::string_view yaml, int first_line,
                          const std::string& what = "front matter");

}  // namespace safeguard::moderation::reading
