#include "moderation/cascade/route/core.h"

#include <algorithm>

#include "base/check.h"

namespace safeguard::moderation::route {

Core::Core(RouteSettings settings, CascadeParts given)
    : route(std::move(settings)),
      parts(std::move(given)),
      governor(std::make_shared<Governor>(route.governor, parts.overall, parts.clock,
                                          parts.deferred != nullptr, parts.bucket)),
      audit(route.audit, parts.ledger != nullptr ? parts.calendar : parts.clock, parts.on_alarm,
            parts.ledger) {
  CHECK(parts.screen != nullptr && parts.clock != nullptr && parts.random != nullptr &&
        parts.calls != nullptr);
  CHECK(parts.reasoners.size() == route.reasoners.size());
  CHECK(CheckRoute(route).has_value());
}

void Core::Count(const std::string& name, double amount) {
  const std::scoped_lock lock(mutex);
  counts[name] += amount;
}

bool Decided(const Verdict& verdict) {
  return verdict.outcome != Outcome::kUndetermined;
}

bool Failed(const Verdict& verdict) {
  return !Decided(verdict) && !Hopeless(verdict) &&
         verdict.reason != UndeterminedReason::kUncertain;
}

bool Hopeless(const Verdict& verdict) {
  return !Decided(verdict) && (verdict.reason == UndeterminedReason::kEmptyContent ||
                               verdict.reason == UndeterminedReason::kPolicyWithoutRules);
}

double MsOf(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

double TokensOf(const Verdict& verdict, double expected) {
  const TokenUsage& tokens = verdict.tokens;
  if (tokens.prompt + tokens.reasoning + tokens.answer == 0) {
    return expected;
  }
  const std::size_t read = tokens.prompt - std::min(tokens.prompt, tokens.cached);
  return static_cast<double>(read + tokens.reasoning + tokens.answer);
}

Verdict Majority(const std::vector<Verdict>& draws) {
  CHECK(!draws.empty());
  std::size_t violations = 0;
  std::size_t safe = 0;
  for (const Verdict& draw : draws) {
    violations += draw.outcome == Outcome::kViolation ? 1 : 0;
    safe += draw.outcome == Outcome::kSafe ? 1 : 0;
  }
  const std::size_t n = draws.size();
  const Outcome won = 2 * violations > n ? Outcome::kViolation
                      : 2 * safe > n     ? Outcome::kSafe
                                         : Outcome::kUndetermined;
  const auto first = std::ranges::find(draws, won, &Verdict::outcome);
  Verdict verdict = first != draws.end() ? *first : draws.front();
  if (n == 1) {
    return verdict;
  }
  if (won == Outcome::kUndetermined) {
    const Verdict& like = draws.front();
    verdict = Undetermined(like.policy, UndeterminedReason::kUncertain,
                           "the second opinions do not agree; let a person decide");
    verdict.decided_by = like.decided_by;
  }
  verdict.tokens = {};
  for (const Verdict& draw : draws) {
    verdict.tokens.prompt += draw.tokens.prompt;
    verdict.tokens.cached += draw.tokens.cached;
    verdict.tokens.reasoning += draw.tokens.reasoning;
    verdict.tokens.answer += draw.tokens.answer;
  }
  verdict.score =
      violations + safe > 0
          ? std::optional(static_cast<double>(violations) / static_cast<double>(violations + safe))
          : std::nullopt;
  verdict.decided_by.settings["samples"] = std::to_string(n);
  verdict.decided_by.settings["votes"] = std::to_string(violations) + " violation, " +
                                         std::to_string(safe) + " safe, " +
                                         std::to_string(n - violations - safe) + " undetermined";
  return verdict;
}

Call CallWithin(Core& core, Duration limit, CallRequest request) {
  CHECK(request.samples >= 1);
  struct Work {
    CallRequest request;
    std::shared_ptr<const Clock> clock;
    std::vector<std::vector<Verdict>> draws;  // by draw
    bool complete = true;
  };
  auto work = std::make_shared<Work>();
  work->request = std::move(request);
  work->clock = core.parts.clock;
  const Duration begin = work->clock->Now();
  Call call;
  call.end = core.parts.calls->RunWithin(limit, [work, begin] {
    const CallRequest& asked = work->request;
    const std::size_t expected = asked.policies.size() * asked.contents.size();
    for (std::size_t s = 0; s < asked.samples; ++s) {
      work->draws.push_back(asked.judge->DecideSample(asked.policies, asked.contents, s));
      work->complete = work->complete && work->draws.back().size() == expected;
    }
    if (asked.on_end) {
      asked.on_end(work->draws, work->clock->Now() - begin);
    }
  });
  call.took = work->clock->Now() - begin;
  if (call.end != TimedCalls::End::kDone) {
    return call;  // `work` may still be written to
  }
  const CallRequest& asked = work->request;
  for (std::size_t i = 0; i < asked.policies.size() * asked.contents.size(); ++i) {
    const Policy& policy = asked.policies[i % asked.policies.size()]->policy();
    if (!work->complete) {
      call.verdicts.push_back(Undetermined(policy.Reference(), UndeterminedReason::kInternalError,
                                           "the judge gave the wrong number of verdicts"));
      continue;
    }
    std::vector<Verdict> draws;
    for (std::vector<Verdict>& draw : work->draws) {
      draws.push_back(std::move(draw[i]));
    }
    call.verdicts.push_back(Majority(draws));
  }
  return call;
}

}  // namespace safeguard::moderation::route
