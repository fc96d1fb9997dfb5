// What all requests of one cascade share, and a case on its way through the layers.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "moderation/cascade.h"
#include "moderation/cascade/route/cascade_policy.h"

namespace safeguard::moderation::route {

struct Core {
  Core(RouteSettings settings, CascadeParts given);

  void Count(const std::string& name, double amount = 1);

  RouteSettings route;
  CascadeParts parts;
  std::shared_ptr<Governor> governor;
  ScreenAudit audit;
  std::mutex mutex;
  std::map<std::string, double> counts;  // guarded by mutex
};

// One content under one policy.
struct Case {
  const Content* content = nullptr;
  const CascadePolicy* policy = nullptr;
  std::vector<LayerStep> path;
  std::map<std::string, double> timings_ms;
  std::vector<std::string> notes;

  std::optional<Verdict> screen;  // its answer, decided or not
  double probability = 0.5;       // of a violation, as far as known
  ScreenSide side = ScreenSide::kBand;
  bool screened = false;     // the screen gave an answer that counts for its audit
  bool screen_alone = true;  // what it says may stand without another layer
  bool suspect = false;      // addresses the judge
  bool audit = false;        // the screen decided; asked all the same
  double audit_weight = 1;
  std::string why;                // why a reasoner is asked
  std::optional<Verdict> answer;  // the last reasoner's
  std::optional<Verdict> final;   // decided: nothing more is asked

  [[nodiscard]] bool open() const { return !final.has_value(); }
  [[nodiscard]] bool flagged() const {
    const Outcome outcome = answer   ? answer->outcome
                            : screen ? screen->outcome
                                     : Outcome::kUndetermined;
    return outcome == Outcome::kViolation;
  }
};

// Whether a verdict is there, or a failure that another layer might not have. Empty content and a
// policy without rules are neither: nobody can judge them.
bool Decided(const Verdict& verdict);
bool Failed(const Verdict& verdict);
bool Hopeless(const Verdict& verdict);

// A call of a judge within a time.
struct Call {
  TimedCalls::End end = TimedCalls::End::kBusy;
  std::vector<Verdict> verdicts;  // of kDone, one for each (content, policy)
  Duration took{};
};
struct CallRequest {
  std::shared_ptr<Judge> judge;
  std::vector<std::shared_ptr<const PreparedPolicy>> policies;
  std::vector<Content> contents;
  std::size_t samples = 1;
  // Told when the call has ended, even when that is after its time; in the thread that made it.
  std::function<void(const std::vector<std::vector<Verdict>>& draws, Duration took)> on_end;
};
Call CallWithin(Core& core, Duration limit, CallRequest request);

// The tokens that a verdict cost; `expected` where it counts none.
double TokensOf(const Verdict& verdict, double expected);

// The majority of several draws: more than half of them must agree.
Verdict Majority(const std::vector<Verdict>& draws);

double MsOf(Duration duration);

}  // namespace safeguard::moderation::route
