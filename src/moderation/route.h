// Route: the settings of one cascade. A named use of the house ("comments", "dm") with its
// policies, what each layer does when it fails, how much is audited, and what it may cost. A value;
// read from YAML by route_file.h. docs/cascade.md explains each setting.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "moderation/clock.h"

namespace safeguard::moderation {

// What happens when a layer fails (an error, no model, an unreadable answer).
enum class OnFailure {
  kNext,         // the next layer is asked; the failed one has said nothing
  kUndetermined  // the answer is undetermined, with the layer's reason
};

// What is answered when the reasoner was to be asked and has not answered: time, budget, overload.
enum class Unanswered {
  kUndetermined,
  kProvisional,  // the screen's own verdict, marked; undetermined where the screen has none
};

// Probabilities (calibrated scores) from `low` up to below `high` are uncertain.
struct Band {
  double low = 0;
  double high = 1;
};

struct RoutePolicy {
  std::string policy;                    // as the user names it: a name, a version, a file
  double severity = 1;                   // weight of a missed violation
  double false_alarm = 0.1;              // weight of a false alarm, times severity
  std::optional<Band> band{};            // empty: where the screen itself is undetermined
  std::vector<std::string> languages{};  // proven in; empty: as the policy states
  std::optional<double> recall_bound{};  // the screen's recall may not fall below
  // Which screen judges it: "auto", "trained", "embedding", "dedicated" (a classifier installed for
  // the policy); empty: the route's.
  std::string screen{};
};

inline constexpr std::size_t kSamplesMax = 25;

// One reasoner of the ladder, cheapest first.
struct RouteReasoner {
  std::string name;
  std::string judge = "reasoner";  // "reasoner", "recorded"
  std::string model{};
  std::string effort = "low";
  std::string answer = "policy";
  std::string precision = "default";  // of its network: "f32", "int16", "int8", "bf16"; "default":
                                      // as set for the process
  std::string recorded{};             // with judge "recorded": the file
  std::size_t samples = 1;            // more: that many draws, the majority counts
  double temperature = 0;
  double tokens = 600;           // expected of one verdict, until it has been measured
  double recall = 0.9;           // of the violations that reach it, what it finds
  std::optional<Band> unsure{};  // an answer with a score in here goes to the next rung
};

struct AuditSettings {
  double safe_share = 0;       // of what the screen called safe, 0..1
  double violation_share = 0;  // of what it called a violation
  bool later = false;          // as deferred work: the request does not wait
  Duration window = std::chrono::hours(1);
  std::size_t windows = 24;  // that the trailing estimate covers
};

// Compute that may be spent on reasoning. The tightest of those stated holds; none: no limit.
struct ComputeBudget {
  std::optional<double> tokens_per_second;
  std::optional<double> share;  // of the tokens of the guarded models, as reported
  std::optional<double> money_per_day;
  double price_per_million_tokens = 0;        // with money_per_day
  Duration burst = std::chrono::seconds(10);  // what may be spent at once: this long of the rate
};

// Ways to spend less, in the order in which they are taken.
enum class Degradation { kEffort, kAudit, kBand, kDefer, kShed };
inline constexpr std::array<Degradation, 5> kDegradations = {
    Degradation::kEffort, Degradation::kAudit, Degradation::kBand, Degradation::kDefer,
    Degradation::kShed};

struct GovernorSettings {
  ComputeBudget budget;
  std::vector<Degradation> order{kDegradations.begin(), kDegradations.end()};
  double audit_floor = 0.1;             // of the declared audit shares, kept always
  double band_cut_max = 0.5;            // of the band's demand, what may be left to the screen
  std::size_t backlog_max = 100'000;    // deferred items that may wait
  std::optional<Duration> latency_p99;  // of an answer; kept by deferring
};

struct RouteSettings {
  std::string name = "default";
  std::vector<RoutePolicy> policies;
  std::vector<RouteReasoner> reasoners;
  OnFailure on_list_failure = OnFailure::kNext;
  OnFailure on_screen_failure = OnFailure::kNext;
  OnFailure on_reasoner_failure = OnFailure::kNext;
  Unanswered unanswered = Unanswered::kUndetermined;
  Duration time_budget = std::chrono::seconds(10);    // of a request
  Duration finish_budget = std::chrono::minutes(10);  // of a verdict that is finished later
  // Of offline work: the time budget is that of each call of a layer, times its contents.
  bool bulk = false;
  bool language_gate = true;
  bool gate_unknown = true;  // with language_gate: also what is in no language that is known
  bool tamper_defence = true;
  bool need_canary = true;  // no known violation to append: such content is never called safe
  bool review_undetermined = false;
  bool review_violations = false;
  AuditSettings audit;
  GovernorSettings governor;
  std::uint64_t seed = 1;
};

// The settings of a policy that the user named so or whose id it is; the default ones when the
// route names no such policy.
RoutePolicy PolicySettings(const RouteSettings& route, const std::string& name_or_id);

// Whether anything of the route may be left for later: whoever opens it then needs a place to keep
// that in.
bool PutsOff(const RouteSettings& route);

// What is wrong with numbers and combinations, in the words of the route's file.
Status CheckRoute(const RouteSettings& route);

const char* ToString(Degradation degradation);  // "effort", "audit", "band", "defer", "shed"

}  // namespace safeguard::moderation
