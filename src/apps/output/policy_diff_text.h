// A policy's change and what it does: for a terminal, as Markdown, as JSON.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "eval/blast_radius.h"
#include "moderation/policy_diff.h"

namespace safeguard::apps {

struct PolicyDiffReport {
  std::string before_origin;
  std::string after_origin;
  moderation::PolicyDiff diff;
  std::optional<eval::BlastRadius> radius;  // with --over
  std::string over;                         // its name
  std::vector<std::string> notes;           // how it was judged
};

std::string PolicyDiffText(const PolicyDiffReport& report, std::size_t width, bool color);
std::string PolicyDiffMarkdown(const PolicyDiffReport& report);
nlohmann::ordered_json PolicyDiffJson(const PolicyDiffReport& report);

}  // namespace safeguard::apps
