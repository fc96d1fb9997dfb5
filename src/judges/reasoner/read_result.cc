#include "judges/reasoner/read_result.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "engine/harmony_parser.h"
#include "engine/token_stream.h"
#include "judges/reasoner/answer.h"
#include "judges/reasoner/quotations.h"

namespace safeguard::judges {
namespace {

using engine::FinishReason;
using engine::GenerationResult;
using moderation::Outcome;
using moderation::UndeterminedReason;
using moderation::Verdict;

double Milliseconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

struct Failure {
  UndeterminedReason reason;
  std::string detail;
};

// Why the answer did not come to its end; nothing when it did.
std::optional<Failure> WhyUnfinished(const GenerationResult& result) {
  switch (result.finish) {
    case FinishReason::kGrammarComplete:
    case FinishReason::kProbed:
      return std::nullopt;
    case FinishReason::kStopToken:
      if (!result.final_opened) {
        return Failure{UndeterminedReason::kUnreadableAnswer,
                       "the model ended without an answer in the final channel; judge again, or "
                       "with constrained answers"};
      }
      return std::nullopt;
    case FinishReason::kTokenLimit:
      return result.final_opened
                 ? Failure{UndeterminedReason::kUnreadableAnswer,
                           "the answer was longer than the limit; raise the limit of answer tokens"}
                 : Failure{UndeterminedReason::kUnfinishedReasoning,
                           "the tokens ran out before the answer began; raise the reasoning budget "
                           "or lower the effort"};
    case FinishReason::kTimeLimit:
      return result.final_opened || result.tokens.empty()
                 ? Failure{UndeterminedReason::kTimeout,
                           "the time ran out; raise the time limit or lower the effort"}
                 : Failure{UndeterminedReason::kUnfinishedReasoning,
                           "the time ran out while the model was reasoning; raise the time limit "
                           "or lower the effort"};
    case FinishReason::kCancelled:
      return Failure{UndeterminedReason::kTimeout, "the request was cancelled before the answer"};
    case FinishReason::kError:
      break;
  }
  const bool busy = result.error && (result.error->code == ErrorCode::kLimit ||
                                     result.error->code == ErrorCode::kUnavailable);
  return Failure{busy ? UndeterminedReason::kOverload : UndeterminedReason::kInternalError,
                 result.error ? Describe(*result.error) : "the model gave no result"};
}

std::optional<double> Score(const AnswerPlan& plan, const GenerationResult& result) {
  if (!plan.verdict || !result.scores) {
    return std::nullopt;
  }
  double violation = 0;
  for (std::size_t i = 0; i < plan.verdict->violating.size(); ++i) {
    violation += result.scores->probabilities[i];
  }
  return std::clamp(violation, 0.0, 1.0);
}

// The verdict of an instant score: there is no answer to read.
void DecideByScore(const moderation::Policy& policy, std::optional<double> score,
                   Verdict& verdict) {
  if (!score) {
    verdict.reason = UndeterminedReason::kInternalError;
    verdict.detail = "no score could be read at the verdict";
    return;
  }
  const moderation::Thresholds limits = policy.thresholds.value_or(moderation::Thresholds{});
  if (*score >= limits.violation) {
    verdict.outcome = Outcome::kViolation;
  } else if (*score < limits.safe) {
    verdict.outcome = Outcome::kSafe;
  } else {
    verdict.reason = UndeterminedReason::kUncertain;
    verdict.detail = "the score lies between the policy's thresholds";
    return;
  }
  verdict.reason = UndeterminedReason::kNone;
  verdict.rationale = "Instant score of the reasoner, without reasoning.";
}

}  // namespace

AnswerText ReadChannels(const engine::Bpe& bpe, const GenerationResult& result) {
  AnswerText text;
  engine::TokenStream stream(bpe);
  for (const std::uint32_t id : result.FinalIds()) {
    text.final += stream.Push(id);
  }
  text.final += stream.Finish();
  engine::HarmonyParserOptions lenient;
  lenient.strict = false;
  engine::HarmonyParser parser(bpe, lenient);
  const std::size_t end = result.final_opened ? result.final_begin : result.tokens.size();
  std::string open;
  for (std::size_t i = 0; i < end; ++i) {
    if (!parser.Push(result.tokens[i].id)) {
      break;  // what was read until here stands
    }
  }
  if (parser.state() == engine::HarmonyParser::State::kContent && !parser.in_final()) {
    open = parser.content();
  }
  for (const engine::ParsedMessage& message : parser.messages()) {
    text.reasoning += (text.reasoning.empty() ? "" : "\n") + message.content;
  }
  text.reasoning += (text.reasoning.empty() || open.empty() ? "" : "\n") + open;
  return text;
}

Verdict ResultReader::Read(const GenerationResult& result,
                           const moderation::Content& content) const {
  Verdict verdict;
  verdict.policy = policy.Reference();
  const AnswerText text = ReadChannels(bpe, result);
  const std::optional<Failure> unfinished = WhyUnfinished(result);
  if (unfinished) {
    verdict.reason = unfinished->reason;
    verdict.detail = unfinished->detail;
  } else if (result.finish == FinishReason::kProbed) {
    DecideByScore(policy, Score(plan, result), verdict);
  } else {
    Fill(joint ? ReadJointAnswer(policy, labels, text.final)
               : ReadAnswer(policy, labels, text.final),
         verdict);
  }
  verdict.score = Score(plan, result);
  verdict.reasoning = text.reasoning;
  verdict.evidence = QuotedEvidence(verdict.rationale, content);
  verdict.view = "original";
  verdict.tokens = {
      result.usage.prompt_tokens, result.usage.cached_tokens, result.usage.reasoning_tokens,
      result.tokens.size() - std::min(result.tokens.size(), result.usage.reasoning_tokens)};
  verdict.timings_ms = {{"queued", Milliseconds(result.timings.queued)},
                        {"prefill", Milliseconds(result.timings.prefill)},
                        {"decode", Milliseconds(result.timings.decode)},
                        {"total", Milliseconds(result.timings.queued + result.timings.prefill +
                                               result.timings.decode)}};
  return verdict;
}

}  // namespace safeguard::judges
