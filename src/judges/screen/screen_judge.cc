#include "judges/screen/screen_judge.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include "base/check.h"
#include "judges/screen/content_texts.h"

namespace safeguard::judges {
namespace {

using moderation::Content;
using moderation::Outcome;
using moderation::Policy;
using moderation::UndeterminedReason;
using moderation::Verdict;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kContentsABatch = 64;
constexpr std::size_t kRuleTextShown = 160;

double MillisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

class PreparedScreenPolicy : public moderation::PreparedPolicy {
 public:
  explicit PreparedScreenPolicy(std::shared_ptr<const ScreenPolicy> policy)
      : policy_(std::move(policy)) {}
  [[nodiscard]] const Policy& policy() const override { return policy_->policy(); }
  [[nodiscard]] const ScreenPolicy* screen_policy() const { return policy_.get(); }

 private:
  std::shared_ptr<const ScreenPolicy> policy_;
};

// Whether anything can be compared with content: what violates, or what complies where all the rest
// violates.
bool HasViolatingClause(const Policy& policy) {
  const auto violating = [](const auto& item) { return item.side == moderation::Side::kViolating; };
  const auto safe = [](const auto& item) { return item.side == moderation::Side::kSafe; };
  const auto named = [](const moderation::Rule& rule) { return !rule.rest; };
  bool rest = false;
  bool complies = std::any_of(policy.examples.begin(), policy.examples.end(), safe);
  for (const moderation::Rule& rule : policy.rules) {
    if (violating(rule) && named(rule)) {
      return true;
    }
    rest = rest || violating(rule);
    complies = complies || (safe(rule) && named(rule));
  }
  return (rest && complies) || std::any_of(policy.levels.begin(), policy.levels.end(), violating) ||
         std::any_of(policy.examples.begin(), policy.examples.end(), violating);
}

std::string Shortened(const std::string& text) {
  if (text.size() <= kRuleTextShown) {
    return text;
  }
  std::size_t end = kRuleTextShown;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
    --end;
  }
  return text.substr(0, end) + "...";
}

std::string TwoDigits(double value) {
  char text[16];
  std::snprintf(text, sizeof text, "%.2f", value);
  return text;
}

std::string RuleName(const moderation::Rule& rule) {
  return "rule " + rule.id + " (\"" + Shortened(rule.text) + "\")";
}

std::string Rationale(const Policy& policy, const ScreenScore& score, Outcome outcome,
                      const moderation::Thresholds& thresholds, const std::string& method) {
  std::string text;
  if (outcome == Outcome::kSafe) {
    text = "Below the threshold: " + TwoDigits(score.probability) + " of " +
           TwoDigits(thresholds.safe) + ".";
    if (score.safe_rule) {
      text += " Nearest on the safe side: " + RuleName(policy.rules[*score.safe_rule]) + ".";
    }
  } else {
    const bool violates = outcome == Outcome::kViolation;
    if (score.violating_rule && policy.rules[*score.violating_rule].rest) {
      text = violates ? "Unlike what the policy allows" : "Between the thresholds";
      text += ", by " + RuleName(policy.rules[*score.violating_rule]);
    } else {
      text = violates ? "Close to " : "Between the thresholds, nearest to ";
      text += score.violating_rule ? RuleName(policy.rules[*score.violating_rule])
                                   : "what the policy forbids";
    }
    text += ", score " + TwoDigits(score.probability) + ".";
  }
  return text + " Fast screen " + method + ", not the reasoner.";
}

Outcome OutcomeOf(double probability, const moderation::Thresholds& thresholds) {
  if (probability >= thresholds.violation) {
    return Outcome::kViolation;
  }
  return probability < thresholds.safe ? Outcome::kSafe : Outcome::kUndetermined;
}

// A content that will be scored, and where its texts stand in the batch.
struct Scorable {
  ContentTexts texts;
  std::size_t first_text;
};

// The verdict from the text that scored highest.
Verdict VerdictOf(const Policy& policy, const Scorable& scorable,
                  std::span<const ScreenScore> scores, std::size_t stride,
                  const std::string& method) {
  std::optional<std::size_t> best;
  for (std::size_t t = 0; t < scorable.texts.texts().size(); ++t) {
    const ScreenScore& score = scores[t * stride];
    if (score.read && (!best || score.probability > scores[*best * stride].probability)) {
      best = t;
    }
  }
  if (!best) {
    return Undetermined(policy.Reference(), UndeterminedReason::kEmptyContent,
                        "the content holds no readable text; there is nothing to judge");
  }
  const ScreenScore& score = scores[*best * stride];
  const moderation::Thresholds thresholds = policy.thresholds.value_or(moderation::Thresholds{});
  Verdict verdict;
  verdict.policy = policy.Reference();
  verdict.outcome = OutcomeOf(score.probability, thresholds);
  verdict.reason = UndeterminedReason::kNone;
  verdict.score = score.probability;
  verdict.view = scorable.texts.texts()[*best].view.name;
  verdict.rationale = Rationale(policy, score, verdict.outcome, thresholds, method);
  if (verdict.outcome == Outcome::kUndetermined) {
    verdict.reason = UndeterminedReason::kUncertain;
    verdict.detail = "the score lies between the policy's thresholds; ask the reasoner or a person";
  } else if (verdict.outcome == Outcome::kSafe && scorable.texts.foreign_script()) {
    verdict.outcome = Outcome::kUndetermined;
    verdict.reason = UndeterminedReason::kUncertain;
    verdict.detail =
        "the content is mostly in a script that the screen's English model does not read; ask the "
        "reasoner or a person";
  }
  if (verdict.outcome != Outcome::kSafe && score.violating_rule) {
    const moderation::Rule& rule = policy.rules[*score.violating_rule];
    verdict.rule_ids = {rule.id};
    verdict.category = rule.level_id.empty() ? rule.section : rule.level_id;
  }
  if (verdict.outcome != Outcome::kSafe) {
    verdict.evidence = {scorable.texts.EvidenceOf(*best, score.begin, score.end)};
  }
  return verdict;
}

Verdict Refused(const Policy& policy, const Content& content, std::size_t bytes_max) {
  if (TextBytes(content) > bytes_max) {
    return Undetermined(policy.Reference(), UndeterminedReason::kContentTooLong,
                        "the content has " + std::to_string(TextBytes(content)) +
                            " bytes and the limit is " + std::to_string(bytes_max) + "; split it");
  }
  return Undetermined(policy.Reference(), UndeterminedReason::kEmptyContent,
                      "the content is empty; there is nothing to judge");
}

Verdict WithoutRules(const Policy& policy) {
  return Undetermined(
      policy.Reference(), UndeterminedReason::kPolicyWithoutRules,
      "the policy has no violating rule, level or example that could be recognised; "
      "run `safeguard policy show` on it");
}

}  // namespace

ScreenJudge::ScreenJudge(std::unique_ptr<Screen> screen, std::size_t content_bytes_max)
    : screen_(std::move(screen)), content_bytes_max_(content_bytes_max) {}

Result<std::shared_ptr<const moderation::PreparedPolicy>> ScreenJudge::Prepare(
    const Policy& policy, std::span<const moderation::GoldenCase> golden) {
  Result<std::shared_ptr<const ScreenPolicy>> prepared = screen_->Prepare(policy, golden);
  if (!prepared) {
    return std::unexpected(prepared.error());
  }
  return std::make_shared<PreparedScreenPolicy>(std::move(*prepared));
}

std::vector<Verdict> ScreenJudge::Decide(
    std::span<const std::shared_ptr<const moderation::PreparedPolicy>> policies,
    std::span<const Content> contents) {
  return DecideUntil(policies, contents, {});
}

std::vector<Verdict> ScreenJudge::DecideUntil(
    std::span<const std::shared_ptr<const moderation::PreparedPolicy>> policies,
    std::span<const Content> contents, const moderation::StopSignal& stop) {
  std::vector<Verdict> verdicts(contents.size() * policies.size());
  for (std::size_t first = 0; first < contents.size(); first += kContentsABatch) {
    const std::size_t count = std::min(kContentsABatch, contents.size() - first);
    DecideBatch(policies, contents.subspan(first, count), stop,
                std::span(verdicts).subspan(first * policies.size(), count * policies.size()));
  }
  return verdicts;
}

void ScreenJudge::DecideBatch(
    std::span<const std::shared_ptr<const moderation::PreparedPolicy>> policies,
    std::span<const Content> contents, const moderation::StopSignal& stop,
    std::span<Verdict> verdicts) {
  const Clock::time_point start = Clock::now();
  std::vector<const ScreenPolicy*> screens;
  for (const auto& policy : policies) {
    const auto* ours = dynamic_cast<const PreparedScreenPolicy*>(policy.get());
    CHECK(ours != nullptr);
    screens.push_back(ours->screen_policy());
  }
  std::vector<std::optional<Scorable>> scorables(contents.size());
  std::atomic<bool> stopped = false;
  screen_->pool().ParallelFor(contents.size(), [&](std::size_t c, std::size_t) {
    const bool judged = TextBytes(contents[c]) <= content_bytes_max_ && !IsBlank(contents[c]);
    if (stop && stop()) {
      stopped.store(true);
    } else if (judged) {
      scorables[c].emplace(Scorable{ContentTexts(contents[c]), 0});
    }
  });
  std::vector<std::string_view> texts;
  for (std::optional<Scorable>& scorable : scorables) {
    if (!scorable) {
      continue;
    }
    scorable->first_text = texts.size();
    for (const ContentText& text : scorable->texts.texts()) {
      texts.push_back(text.view.text);
    }
  }
  const std::vector<ScreenScore> scores =
      stopped ? std::vector<ScreenScore>() : screen_->Score(screens, texts, stop);
  stopped = stopped || scores.size() != texts.size() * screens.size();
  // A batch shares the passes of the encoder: each content's share of the time.
  const double milliseconds = MillisecondsSince(start) / static_cast<double>(contents.size());
  const moderation::DecidedBy decided_by = {"screen", screen_->model_name(), screen_->model_hash()};
  screen_->pool().ParallelFor(contents.size(), [&](std::size_t c, std::size_t) {
    for (std::size_t p = 0; p < policies.size(); ++p) {
      const Policy& policy = policies[p]->policy();
      Verdict verdict;
      if (stopped) {
        verdict = Undetermined(policy.Reference(), UndeterminedReason::kTimeout,
                               "the time was up before the content was read to its end");
      } else if (!scorables[c]) {
        verdict = Refused(policy, contents[c], content_bytes_max_);
      } else if (!HasViolatingClause(policy)) {
        verdict = WithoutRules(policy);
      } else {
        const std::size_t at = scorables[c]->first_text * policies.size() + p;
        verdict = VerdictOf(policy, *scorables[c], std::span(scores).subspan(at), policies.size(),
                            screen_->method());
      }
      if (scorables[c]) {
        verdict.notes = scorables[c]->texts.notes();
      }
      verdict.timings_ms["total"] = milliseconds;
      verdict.decided_by = decided_by;
      verdicts[c * policies.size() + p] = std::move(verdict);
    }
  });
}

}  // namespace safeguard::judges
