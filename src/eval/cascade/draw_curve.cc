#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "base/check.h"
#include "eval/cascade_curve.h"
#include "moderation/cascade.h"

namespace safeguard::eval {
namespace {

using moderation::Content;
using moderation::Duration;
using moderation::Outcome;
using moderation::Policy;
using moderation::PreparedPolicy;
using moderation::Verdict;

constexpr double kContentsPerSecond = 50;
constexpr std::size_t kWarmUp = 3000;  // contents before the pass that is measured

class SimulatedClock final : public moderation::Clock {
 public:
  [[nodiscard]] Duration Now() const override { return now_; }
  void Advance(Duration by) { now_ += by; }

 private:
  Duration now_{};
};

class DirectCalls final : public moderation::TimedCalls {
 public:
  End RunWithin(Duration, std::function<void()> work) override {
    work();
    return End::kDone;
  }
};

class PlainPolicy final : public PreparedPolicy {
 public:
  explicit PlainPolicy(Policy policy) : policy_(std::move(policy)) {}
  [[nodiscard]] const Policy& policy() const override { return policy_; }

 private:
  Policy policy_;
};

// Answers the content whose id is a number with verdict of that number.
class KnownJudge final : public moderation::Judge {
 public:
  explicit KnownJudge(std::vector<Verdict> verdicts) : verdicts_(std::move(verdicts)) {}

  Result<std::shared_ptr<const PreparedPolicy>> Prepare(
      const Policy& policy, std::span<const moderation::GoldenCase>) override {
    return std::make_shared<PlainPolicy>(policy);
  }
  std::vector<Verdict> Decide(std::span<const std::shared_ptr<const PreparedPolicy>> policies,
                              std::span<const Content> contents) override {
    CHECK(policies.size() == 1);
    std::vector<Verdict> verdicts;
    for (const Content& content : contents) {
      verdicts.push_back(verdicts_.at(std::stoul(content.id)));
      verdicts.back().policy = policies.front()->policy().Reference();
    }
    asked += contents.size();
    return verdicts;
  }

  std::size_t asked = 0;

 private:
  std::vector<Verdict> verdicts_;
};

struct Case {
  bool violation = false;
  Verdict screen;
  Verdict reasoner;
  double tokens = 0;  // of the reasoner
};

Verdict Synthetic(const SyntheticReasoner& reasoner, bool violation,
                  moderation::RandomSource& random) {
  const bool right = random.Uniform() < (violation ? reasoner.recall : reasoner.specificity);
  Verdict verdict;
  verdict.outcome = violation == right ? Outcome::kViolation : Outcome::kSafe;
  verdict.reason = moderation::UndeterminedReason::kNone;
  verdict.decided_by = {
      .layer = "reasoner", .model = "synthetic", .model_hash = "", .settings = {}};
  verdict.tokens.prompt =
      static_cast<std::size_t>(std::max(1.0, reasoner.tokens * (0.5 + random.Uniform())));
  return verdict;
}

double TokensOf(const Verdict& verdict, double otherwise) {
  const moderation::TokenUsage& tokens = verdict.tokens;
  const std::size_t sum =
      tokens.prompt - std::min(tokens.prompt, tokens.cached) + tokens.reasoning + tokens.answer;
  return sum > 0 ? static_cast<double>(sum) : otherwise;
}

std::vector<Case> CasesOf(std::span<const Record> records, std::span<const CaseResult> screen,
                          std::span<const CaseResult> reasoner, const CurveOptions& options) {
  const auto random = moderation::SeededRandom(options.reasoner.seed);
  std::vector<Case> cases;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const bool known = records[i].expected.has_value() && screen[i].judged &&
                       (reasoner.empty() || reasoner[i].judged);
    const bool violation = records[i].expected == Outcome::kViolation;
    const Verdict synthetic = Synthetic(options.reasoner, violation, *random);  // drawn for all
    if (known) {
      Case one{violation, screen[i].verdict, reasoner.empty() ? synthetic : reasoner[i].verdict, 0};
      one.tokens = TokensOf(one.reasoner, options.reasoner.tokens);
      cases.push_back(std::move(one));
    }
  }
  return cases;
}

void Count(BudgetPoint& point, bool violation, const Verdict& verdict) {
  const bool undetermined = verdict.outcome == Outcome::kUndetermined;
  point.undetermined += undetermined ? 1 : 0;
  point.confusion.Add(violation,
                      undetermined ? !violation : verdict.outcome == Outcome::kViolation);
}

void Finish(BudgetPoint& point) {
  point.f1 = F1(point.confusion);
  point.precision = Precision(point.confusion);
  point.recall = Recall(point.confusion);
  point.recall_interval =
      WilsonInterval(point.confusion.true_positive, point.confusion.positives());
}

moderation::RouteSettings RouteOf(double tokens_per_second, double tokens, double false_alarm) {
  moderation::RouteSettings route;
  moderation::RouteReasoner reasoner;
  reasoner.name = "reasoner";
  reasoner.tokens = std::clamp(tokens, 1.0, 1e6);
  route.reasoners.push_back(std::move(reasoner));
  moderation::RoutePolicy policy;
  policy.policy = "policy";
  policy.band = moderation::Band{0, 1};  // the governor chooses, by what asking prevents
  policy.false_alarm = false_alarm;
  route.policies.push_back(std::move(policy));
  route.unanswered = moderation::Unanswered::kProvisional;
  route.language_gate = false;
  route.governor.budget.tokens_per_second = tokens_per_second;
  route.governor.order = {moderation::Degradation::kBand, moderation::Degradation::kShed};
  route.governor.band_cut_max = 1;
  return route;
}

// The screen's verdict for a provisional one: a score and the side it is on.
Verdict Provisional(Verdict screen) {
  if (screen.outcome == Outcome::kUndetermined && screen.score) {
    screen.outcome = *screen.score >= 0.5 ? Outcome::kViolation : Outcome::kSafe;
    screen.reason = moderation::UndeterminedReason::kNone;
  }
  return screen;
}

BudgetPoint Measure(const std::vector<Case>& cases, double budget, double tokens_mean,
                    const CurveOptions& options) {
  auto clock = std::make_shared<SimulatedClock>();
  std::vector<Verdict> screen;
  std::vector<Verdict> reasoner;
  for (const Case& one : cases) {
    screen.push_back(Provisional(one.screen));
    reasoner.push_back(one.reasoner);
  }
  const auto judge = std::make_shared<KnownJudge>(std::move(reasoner));
  moderation::CascadeParts parts;
  parts.screen = std::make_shared<KnownJudge>(std::move(screen));
  parts.reasoners = {judge};
  parts.clock = clock;
  parts.random = moderation::SeededRandom(options.reasoner.seed);
  parts.calls = std::make_shared<DirectCalls>();
  const auto cascade = moderation::MakeCascade(
      RouteOf(budget * tokens_mean * kContentsPerSecond, tokens_mean, options.false_alarm),
      std::move(parts));
  Policy policy;
  policy.id = "policy";
  const auto prepared = *cascade->Prepare(policy, {});
  BudgetPoint point;
  point.budget = budget;
  const std::size_t passes = 1 + (kWarmUp + cases.size() - 1) / cases.size();
  double spent = 0;
  double all = 0;
  for (std::size_t pass = 0; pass < passes; ++pass) {
    const bool measured = pass + 1 == passes;
    judge->asked = 0;
    for (std::size_t i = 0; i < cases.size(); ++i) {
      clock->Advance(Duration(std::llround(1e6 / kContentsPerSecond)));
      // A stride that has no divisor with the count: data sets are sorted, traffic is not.
      const std::size_t at = (i * 7919) % cases.size();
      const std::size_t c = cases.size() % 7919 == 0 ? i : at;
      Content content = moderation::UserMessage("content");
      content.id = std::to_string(c);
      const std::size_t before = judge->asked;
      const Verdict verdict =
          cascade->Decide(std::span(&prepared, 1), std::span(&content, 1)).front();
      if (measured) {
        spent += judge->asked > before ? cases[c].tokens : 0;
        all += cases[c].tokens;
        Count(point, cases[c].violation, verdict);
      }
    }
  }
  point.name = "cascade";
  point.spent = spent / all;
  point.tokens = spent / static_cast<double>(cases.size());
  point.asked = static_cast<double>(judge->asked) / static_cast<double>(cases.size());
  Finish(point);
  return point;
}

BudgetPoint Alone(const std::vector<Case>& cases, bool reasoner, double tokens_mean) {
  BudgetPoint point;
  point.name = reasoner ? "reasoner alone" : "screen alone";
  point.budget = point.spent = point.asked = reasoner ? 1 : 0;
  point.tokens = reasoner ? tokens_mean : 0;
  for (const Case& one : cases) {
    Count(point, one.violation, reasoner ? one.reasoner : Provisional(one.screen));
  }
  Finish(point);
  return point;
}

}  // namespace

Result<CascadeCurve> DrawCascadeCurve(std::span<const Record> records,
                                      std::span<const CaseResult> screen,
                                      std::span<const CaseResult> reasoner,
                                      const CurveOptions& options) {
  CHECK(screen.size() == records.size());
  if (!reasoner.empty() && reasoner.size() != records.size()) {
    return Fail(ErrorCode::kInvalidInput, "the reasoner's run is of other records",
                "give a run over the same data and sample");
  }
  const std::vector<Case> cases = CasesOf(records, screen, reasoner, options);
  CascadeCurve curve;
  curve.cases = cases.size();
  double tokens = 0;
  for (const Case& one : cases) {
    curve.positives += one.violation ? 1 : 0;
    tokens += one.tokens;
  }
  if (curve.positives == 0 || curve.positives == cases.size()) {
    return Fail(ErrorCode::kInvalidInput,
                "a curve needs labelled violations and labelled safe cases that were judged",
                "give a run over labelled data");
  }
  const double mean = tokens / static_cast<double>(cases.size());
  curve.tolerance = options.tolerance;
  curve.points.push_back(Alone(cases, false, mean));
  std::vector<double> budgets = options.budgets;
  std::ranges::sort(budgets);
  for (const double budget : budgets) {
    curve.points.push_back(Measure(cases, budget, mean, options));
  }
  curve.points.push_back(Alone(cases, true, mean));
  const double wanted = curve.points.back().f1.value_or(0) - options.tolerance;
  for (std::size_t p = 0; p + 1 < curve.points.size() && !curve.equal; ++p) {
    if (curve.points[p].f1.value_or(0) >= wanted) {
      curve.equal = p;
      curve.saved = 1 - curve.points[p].spent;
    }
  }
  return curve;
}

}  // namespace safeguard::eval
