// The one-word answers that a policy allows, and what each means.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "moderation/policy.h"

namespace safeguard::judges {

struct AnswerLabel {
  std::string text;                                 // as written: "1", "INVALID", "SP3"
  moderation::Side side = moderation::Side::kNone;  // kNone: asks for a person ("ESCALATE")
  std::string level_id;  // when the label names a level or a rule's level
  bool own = false;      // the policy's, not a usual one
};

// Immutable; may be read from several threads. Comparison is without case and white space.
class AnswerLabels {
 public:
  // The policy's own labels (front matter, the outputs of its levels, its levels and rules) and the
  // usual ones (1/0, yes/no, true/false, violation/safe, unsafe/safe, INVALID/VALID, block/allow
  // ...). What the policy says of a label wins over what is usual.
  explicit AnswerLabels(const moderation::Policy& policy);

  // What `word` means as a whole answer; "D-SP2.a" and "R-SP2" are read as the rule or level.
  [[nodiscard]] std::optional<AnswerLabel> Find(std::string_view word) const;

  // The policy's own two-sided choice of labels for a one-word answer, e.g. {"1", "0"} or
  // {"INVALID", "VALID"}; {"1", "0"} when it names none.
  [[nodiscard]] const std::vector<AnswerLabel>& choice() const { return choice_; }

 private:
  void Add(AnswerLabel label);
  [[nodiscard]] std::optional<AnswerLabel> FindExactly(std::string_view word) const;

  std::vector<AnswerLabel> labels_;  // the policy's before the usual ones
  std::vector<AnswerLabel> choice_;
};

}  // namespace safeguard::judges
