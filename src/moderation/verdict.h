// Verdict: the checked answer to "does this content violate this policy?".
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace safeguard::moderation {

// Failure is never kSafe: whatever could not be decided is kUndetermined, with its reason.
enum class Outcome { kViolation, kSafe, kUndetermined };

enum class UndeterminedReason {
  kNone,  // the outcome is not kUndetermined
  kEmptyContent,
  kContentTooLong,
  kPolicyWithoutRules,
  kUncertain,  // the score lies in the band where this layer must not decide
  kTimeout,
  kOverload,
  kModelUnavailable,
  kUnreadableAnswer,     // neither a label nor the JSON that was asked for
  kRefusal,              // the model would not answer
  kEchoedCue,            // the answer repeats "Answer (0 or 1):" and stops
  kObeyedContent,        // the model did what the content told it instead of judging it
  kUnfinishedReasoning,  // the tokens or the time ran out before the answer began
  kJudgeTampering,       // the content addresses the judge, and the judge did not stand up to it
  kInternalError,
};

// A piece of the content that the verdict rests on. `start` and `end` are byte offsets, half open,
// into the text of messages[message] as the caller gave it.
struct Evidence {
  std::size_t message = 0;
  std::size_t start = 0;
  std::size_t end = 0;
  std::string text;
};

struct PolicyReference {
  std::string id;
  std::string version;
  std::string hash;  // BLAKE2b of the policy's bytes
};

struct DecidedBy {
  std::string layer;       // "screen", "reasoner", "list", "human"
  std::string model;       // e.g. "minilm-l6-v2"
  std::string model_hash;  // SHA-256 of its weights, 64 hexadecimal digits
  // What else fixes the answer: prompt template, effort, sampling. Empty for the screen.
  std::map<std::string, std::string> settings{};
};

// Of a reasoner; all 0 where no tokens were used.
struct TokenUsage {
  std::size_t prompt = 0;     // all of the prompt's
  std::size_t cached = 0;     // of these, what was there from a shared prefix
  std::size_t reasoning = 0;  // sampled before the answer
  std::size_t answer = 0;     // of the answer, forced ones included
};

// How a written answer kept to what its policy asks.
struct Adherence {
  std::string form;  // it was given as: "label", "json", "label with text", "prose", ...
  std::optional<bool> followed;  // the format asked for; empty when the policy asks for none
  std::string fault;             // why not, e.g. "text around the JSON"; empty when followed
  std::size_t cited = 0;         // rules and levels that the policy has
  std::size_t unknown = 0;       // cited ones that it does not have
};

// What one layer of a cascade said on the way to the verdict.
struct LayerStep {
  std::string layer;  // "list", "screen", "reasoner", ...
  std::string name;   // which one: the list's, the reasoner's in the route; may be empty
  Outcome outcome = Outcome::kUndetermined;
  UndeterminedReason reason = UndeterminedReason::kNone;
  std::optional<double> score;
  double ms = 0;
  std::string why;  // why it went on from here, or why this decided
};

struct Verdict {
  PolicyReference policy;
  Outcome outcome = Outcome::kUndetermined;
  UndeterminedReason reason = UndeterminedReason::kInternalError;
  std::string detail;  // for kUndetermined: one sentence on what happened and what to do

  std::optional<double> score;        // probability of a violation, 0..1; empty when nothing scored
  std::string category;               // level or section of the best rule, e.g. "SP4"; may be empty
  std::vector<std::string> rule_ids;  // every one exists in the policy
  std::string rationale;              // for people; names the rule
  std::vector<Evidence> evidence;
  // The chain of thought. For practitioners: never shown to the authors of content by default.
  std::string reasoning;
  std::string confidence;  // as the model states it, e.g. "high"; may be empty
  TokenUsage tokens;
  std::optional<Adherence> adherence;  // where an answer was read that nothing constrained
  std::string view;  // the canonical view that gave the score: "original", "normalised", ...
  DecidedBy decided_by;
  std::vector<LayerStep> path;               // of a cascade, in order; the last one decided
  bool provisional = false;                  // a later layer was to be asked and has not answered
  std::vector<std::string> notes;            // e.g. "invalid UTF-8 at byte 12 was replaced"
  std::map<std::string, double> timings_ms;  // by stage; "total" is always there
};

const char* ToString(Outcome outcome);
const char* ToString(UndeterminedReason reason);  // "" for kNone
std::optional<Outcome> OutcomeFrom(std::string_view text);
std::optional<UndeterminedReason> UndeterminedReasonFrom(std::string_view text);

// An undetermined verdict: the only way to report that something could not be judged.
Verdict Undetermined(PolicyReference policy, UndeterminedReason reason, std::string detail);

}  // namespace safeguard::moderation
