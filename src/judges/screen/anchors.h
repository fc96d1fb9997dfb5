// Anchors: the short texts of a policy that content is compared with.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "moderation/policy.h"

namespace safeguard::judges {

struct Anchor {
  std::string text;
  moderation::Side side = moderation::Side::kViolating;
  std::optional<std::size_t> rule{};  // index into Policy::rules
  bool example = false;               // one of the policy's labelled examples
};

// Rules (each whole, and each example quoted inside it), levels without rules, and labelled
// examples, of the violating and the safe side; texts on neither side are left out, as are
// violating rules for the rest ("everything else"), which nothing can be compared with; repeated
// texts stand once. In the policy's order.
std::vector<Anchor> AnchorsOf(const moderation::Policy& policy);

}  // namespace safeguard::judges
