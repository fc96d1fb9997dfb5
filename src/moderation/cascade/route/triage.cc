// What the screen has decided, and what it may not decide.
#include <algorithm>

#include "moderation/cascade/route/request.h"

namespace safeguard::moderation::route {
namespace {

constexpr double kSureOfLanguage = 0.5;

bool Inside(const Band& band, double score) {
  return score >= band.low && score < band.high;
}

double ProbabilityOf(const Verdict& verdict) {
  if (verdict.score && *verdict.score >= 0 && *verdict.score <= 1) {
    return *verdict.score;
  }
  return verdict.outcome == Outcome::kViolation ? 1 : verdict.outcome == Outcome::kSafe ? 0 : 0.5;
}

// All languages that a content is said or found to be in; empty: it is not known.
std::vector<std::string> LanguagesOf(const Content& content, const LanguageGuess& guess) {
  std::vector<std::string> languages;
  if (!content.language.empty()) {
    languages.push_back(PrimaryLanguage(content.language));
  }
  if (!guess.language.empty() && guess.confidence >= kSureOfLanguage) {
    languages.push_back(PrimaryLanguage(guess.language));
    for (const LanguagePart& part : guess.parts) {
      languages.push_back(PrimaryLanguage(part.language));
    }
  }
  return languages;
}

}  // namespace

const TamperFinding& Request::TamperOf(const Content& content) {
  auto& finding = tamper_[static_cast<std::size_t>(&content - contents_.data())];
  if (!finding) {
    finding = core_.parts.tamper != nullptr && core_.route.tamper_defence
                  ? core_.parts.tamper->Inspect(content)
                  : TamperFinding{};
  }
  return *finding;
}

const LanguageGuess& Request::LanguageOf(const Content& content) {
  auto& guess = language_[static_cast<std::size_t>(&content - contents_.data())];
  if (!guess) {
    guess =
        core_.parts.languages != nullptr ? core_.parts.languages->Detect(content) : LanguageGuess{};
  }
  return *guess;
}

// Where the screen's "safe" may not stand alone.
void Request::Gate(Case& each) {
  const TamperFinding& tamper = TamperOf(*each.content);
  if (tamper.addresses_judge) {
    each.suspect = true;
    each.screen_alone = false;
    each.why = "the content addresses the judge" +
               (tamper.signs.empty() ? std::string() : " (" + tamper.signs.front() + ")");
    core_.Count("suspects");
  }
  const std::vector<std::string>& proven = each.policy->languages();
  if (!core_.route.language_gate || proven.empty()) {
    return;
  }
  const std::vector<std::string> languages = LanguagesOf(*each.content, LanguageOf(*each.content));
  if (languages.empty() && core_.route.gate_unknown) {
    each.screen_alone = false;
    each.why = "the language is not known, so the policy was not proven in it";
    core_.Count("language_gated");
    core_.Count("language_unknown");
  }
  for (const std::string& language : languages) {
    if (std::ranges::find(proven, language) == proven.end()) {
      each.screen_alone = false;
      each.why = "the policy was not proven in the language " + language;
      core_.Count("language_gated");
      return;
    }
  }
}

void Request::DrawAudit(Case& each) {
  const bool safe = each.side == ScreenSide::kSafe;
  const double declared = safe ? core_.route.audit.safe_share : core_.route.audit.violation_share;
  if (declared <= 0 || core_.route.reasoners.empty() || in_passing_) {
    return;
  }
  core_.governor->ExpectAudits(declared * CostOf(each, 0));
  const double share = declared * core_.governor->AuditScale();
  if (core_.parts.random->Uniform() < share) {
    each.audit = true;
    each.audit_weight = std::max(1.0, 1 / share);
    each.why = "audit of the screen";
    core_.Count("audits_drawn");
  }
}

void Request::TriageOne(Case& each) {
  const Verdict& screen = *each.screen;
  const bool reasoners = !core_.route.reasoners.empty();
  if (Hopeless(screen)) {
    each.final = screen;
    return;
  }
  if (Failed(screen)) {
    core_.Count("screen_failures");
    each.screen_alone = false;
    if (core_.route.on_screen_failure == OnFailure::kUndetermined || !reasoners) {
      each.final = screen;
      return;
    }
    each.why = std::string("the screen failed: ") + ToString(screen.reason);
    Gate(each);
    return;
  }
  each.probability = ProbabilityOf(screen);
  if (screen.outcome != Outcome::kViolation) {
    Gate(each);
  }
  const std::optional<Band>& band = each.policy->settings().band;
  const bool uncertain = !Decided(screen) || (band && screen.score && Inside(*band, *screen.score));
  const bool open = uncertain || !each.screen_alone;
  each.screened = true;
  each.side = open                                    ? ScreenSide::kBand
              : screen.outcome == Outcome::kViolation ? ScreenSide::kViolation
                                                      : ScreenSide::kSafe;
  if (!open) {
    if (!in_deferred_) {
      DrawAudit(each);
    }
    if (!each.audit) {
      each.final = screen;
      each.path.back().why = "decides: outside the uncertain band";
    }
    return;
  }
  if (each.why.empty()) {
    each.why = "its score lies in the uncertain band";
  }
  each.path.back().why = each.why;
  if (reasoners) {
    return;
  }
  if (screen.outcome == Outcome::kSafe && !each.screen_alone) {
    each.final = Undetermined(
        screen.policy,
        each.suspect ? UndeterminedReason::kJudgeTampering : UndeterminedReason::kUncertain,
        each.why + ", and the route has no reasoner; let a person decide");
    each.final->score = screen.score;
    each.final->decided_by = screen.decided_by;
  } else {
    each.final = screen;
  }
}

void Request::Triage() {
  for (Case& each : cases_) {
    if (each.open()) {
      TriageOne(each);
    }
    if (each.screened && !in_passing_ && !in_deferred_) {
      core_.audit.Screened(each.policy->policy().id, each.side);
    }
  }
}

}  // namespace safeguard::moderation::route
