// Reads what a model answered under a policy. The text of the final message goes in, an outcome
// with its grounds comes out, or the named reason why there is none. Nothing is guessed: an answer
// that is not clearly one of the policy's labels or a JSON object that says so is undetermined.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "judges/reasoner/labels.h"
#include "moderation/policy.h"
#include "moderation/verdict.h"

namespace safeguard::judges {

inline constexpr std::size_t kAnswerBytesMax = std::size_t{256} << 10;

struct AnswerReading {
  moderation::Outcome outcome = moderation::Outcome::kUndetermined;
  moderation::UndeterminedReason reason = moderation::UndeterminedReason::kUnreadableAnswer;
  std::string detail;  // why it is undetermined, and what to do about it

  std::string label;                  // the label as answered; empty for JSON
  std::string category;               // a level of the policy
  std::vector<std::string> rule_ids;  // each exists in the policy, spelled as there
  std::string rationale;
  std::string confidence;
  std::vector<std::string> notes;  // e.g. "cites rule SP9.z, which the policy does not have"
};

// `final_text`: the content of the final channel. Not valid: empty, longer than kAnswerBytesMax,
// a refusal, an echo of the cue, prose that judges nothing, broken JSON, an answer that contradicts
// itself (both labels; "safe" with violating rules cited), one that asks for a person.
AnswerReading ReadAnswer(const moderation::Policy& policy, const AnswerLabels& labels,
                         std::string_view final_text);

// The same for one policy's part of an answer about several: {"id": {...}, ...}. Missing:
// unreadable.
AnswerReading ReadJointAnswer(const moderation::Policy& policy, const AnswerLabels& labels,
                              std::string_view final_text);

// Puts what was read into the verdict; all else of it stays.
void Fill(AnswerReading reading, moderation::Verdict& verdict);

}  // namespace safeguard::judges
