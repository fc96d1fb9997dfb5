#include "moderation/verdict.h"

#include <utility>

#include "base/check.h"

namespace safeguard::moderation {

const char* ToString(Outcome outcome) {
  switch (outcome) {
    case Outcome::kViolation:
      return "violation";
    case Outcome::kSafe:
      return "safe";
    case Outcome::kUndetermined:
      return "undetermined";
  }
  return "undetermined";
}

const char* ToString(UndeterminedReason reason) {
  switch (reason) {
    case UndeterminedReason::kNone:
      return "";
    case UndeterminedReason::kEmptyContent:
      return "empty_content";
    case UndeterminedReason::kContentTooLong:
      return "content_too_long";
    case UndeterminedReason::kPolicyWithoutRules:
      return "policy_without_rules";
    case UndeterminedReason::kUncertain:
      return "uncertain";
    case UndeterminedReason::kTimeout:
      return "timeout";
    case UndeterminedReason::kOverload:
      return "overload";
    case UndeterminedReason::kModelUnavailable:
      return "model_unavailable";
    case UndeterminedReason::kUnreadableAnswer:
      return "unreadable_answer";
    case UndeterminedReason::kRefusal:
      return "refusal";
    case UndeterminedReason::kEchoedCue:
      return "echoed_cue";
    case UndeterminedReason::kObeyedContent:
      return "obeyed_content";
    case UndeterminedReason::kUnfinishedReasoning:
      return "unfinished_reasoning";
    case UndeterminedReason::kJudgeTampering:
      return "judge_tampering";
    case UndeterminedReason::kInternalError:
      return "internal_error";
  }
  return "internal_error";
}

std::optional<Outcome> OutcomeFrom(std::string_view text) {
  for (const Outcome outcome : {Outcome::kViolation, Outcome::kSafe, Outcome::kUndetermined}) {
    if (text == ToString(outcome)) {
      return outcome;
    }
  }
  return std::nullopt;
}

std::optional<UndeterminedReason> UndeterminedReasonFrom(std::string_view text) {
  constexpr int kReasons = static_cast<int>(UndeterminedReason::kInternalError) + 1;
  for (int i = 0; i < kReasons; ++i) {
    const auto reason = static_cast<UndeterminedReason>(i);
    if (text == ToString(reason)) {
      return reason;
    }
  }
  return std::nullopt;
}

Verdict Undetermined(PolicyReference policy, UndeterminedReason reason, std::string detail) {
  CHECK(reason != UndeterminedReason::kNone);
  Verdict verdict;
  verdict.policy = std::move(policy);
  verdict.outcome = Outcome::kUndetermined;
  verdict.reason = reason;
  verdict.detail = std::move(detail);
  verdict.timings_ms["total"] = 0;
  return verdict;
}

}  // namespace safeguard::moderation
