// How a reasoner is asked to answer under a policy, and what its answer may then be.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "judges/reasoner/labels.h"
#include "moderation/content.h"
#include "moderation/policy.h"

namespace safeguard::judges {

enum class AnswerForm {
  kPolicy,     // as the policy itself asks; with a rationale where it asks nothing
  kLabel,      // one of two labels: fastest
  kJson,       // {"violation", "policy_category"}
  kRationale,  // {"violation", "policy_category", "rule_ids", "confidence", "rationale"}
};

const char* ToString(AnswerForm form);  // "policy", "label", "json", "rationale"
std::optional<AnswerForm> ParseAnswerForm(std::string_view name);

// What decides between two labels: the text that stands before the verdict in the final message,
// and the continuations of each side. Their probabilities are the score.
struct VerdictPoint {
  std::string before;                  // "" or "{\"violation\":"
  std::vector<std::string> violating;  // "1"
  std::vector<std::string> safe;       // "0"
};

struct AnswerPlan {
  AnswerForm form = AnswerForm::kPolicy;
  std::string instruction;              // to be said after the policy; empty: it says so itself
  std::string schema;                   // JSON Schema of the answer; empty: none
  std::vector<std::string> choice;      // labels of a one-word answer; empty: none
  std::optional<VerdictPoint> verdict;  // none: the answer is free, and nothing is scored
};

// Fields stand in the order decide, then justify; with kPolicy in the order in which the policy
// names them. The rules and levels that may be cited are those of the policy.
AnswerPlan PlanAnswer(const moderation::Policy& policy, const AnswerLabels& labels,
                      AnswerForm form);

// One object with a field for each policy's id, each as PlanAnswer's kRationale has it.
AnswerPlan PlanJointAnswer(const std::vector<const moderation::Policy*>& policies);

// The policy as the model is given it: its text without front matter, then the instruction.
std::string PolicyMessage(const moderation::Policy& policy, const AnswerPlan& plan);
std::string JointPolicyMessage(const std::vector<const moderation::Policy*>& policies,
                               const AnswerPlan& plan);

// The content as the model is given it. A user message is itself; a completion is announced; a
// conversation is one JSON object a message, so that no text can pass for another role's.
std::string ContentMessage(const moderation::Content& content);

// Named in every verdict; changes whenever a prompt for the same input would.
inline constexpr std::string_view kPromptTemplate = "safeguard-1";

}  // namespace safeguard::judges
