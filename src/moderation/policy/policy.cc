#include "moderation/policy.h"

#include <algorithm>

#include "moderation/policy/ids.h"

namespace safeguard::moderation {
namespace {

// The first with exactly this id, else the first whose id differs in writing only: "SP2(a)".
template <typename T>
const T* Find(const std::vector<T>& all, std::string_view id) {
  const auto exact = std::ranges::find(all, id, &T::id);
  if (exact != all.end()) {
    return &*exact;
  }
  const std::string folded = reading::FoldId(id);
  if (folded.empty()) {
    return nullptr;
  }
  const auto alike = std::ranges::find_if(
      all, [&folded](const T& one) { return reading::FoldId(one.id) == folded; });
  return alike == all.end() ? nullptr : &*alike;
}

}  // namespace

const Rule* Policy::FindRule(std::string_view rule_id) const {
  return Find(rules, rule_id);
}

const Level* Policy::FindLevel(std::string_view level_id) const {
  return Find(levels, level_id);
}

const char* ToString(Side side) {
  switch (side) {
    case Side::kNone:
      return "none";
    case Side::kViolating:
      return "violating";
    case Side::kSafe:
      return "safe";
  }
  return "none";
}

const char* ToString(Severity severity) {
  switch (severity) {
    case Severity::kError:
      return "error";
    case Severity::kWarning:
      return "warning";
    case Severity::kHint:
      return "hint";
  }
  return "hint";
}

}  // namespace safeguard::moderation
