// A route file as a judge: the cascade over the real screen, reasoners and lists.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "apps/calibration/calibration_choice.h"
#include "apps/commands/judging.h"
#include "apps/output/console.h"
#include "apps/services.h"
#include "base/result.h"
#include "moderation/cascade.h"
#include "moderation/route_file.h"

namespace safeguard::apps {

struct RouteRequest {
  std::string path;  // of the route file
  std::string data_dir;
  CalibrationChoice calibration;
  std::size_t threads = 1;
  bool bulk = false;  // offline work: the time budget is of each content
  // Finishes what was left for later: leaves nothing for later itself.
  bool finishing = false;
  // The same, without the budget (its rate is of real traffic) and without a word of its audits.
  bool measuring = false;
  bool keep_content = false;  // of what is left for later, in the verdict log
  // By a server, for as long as it runs: it prepares the policies itself, as their versions come
  // and go, and the calibration that is kept with a version is looked for then.
  bool served = false;
  // Of the screen's audit; empty: they are told on the console.
  std::function<void(const moderation::RecallAlarm&)> on_alarm{};
};

struct OpenedRoute {
  Judging judging;       // its judge is the cascade
  std::string identity;  // what the answers depend on besides the policies and calibrations
  std::string calibrations;
  moderation::Cascade* cascade = nullptr;  // that judge
  std::string name;                        // of the route
  // ReloadableLists::Reload(): whoever goes on for long calls it now and then. May be empty.
  std::function<Result<bool>()> reload_lists;
};

// Calls `reload` at most once a second and says what came of it, an error once.
class ListWatch {
 public:
  ListWatch(std::function<Result<bool>()> reload, Console& console)
      : reload_(std::move(reload)), console_(console) {}
  void Look();

 private:
  std::function<Result<bool>()> reload_;
  Console& console_;
  std::optional<std::chrono::steady_clock::time_point> looked_;
};

// The policies of the route alone, with the file as it was read.
struct LoadedRoute {
  moderation::RouteFile file;
  std::string hash;  // of the file's bytes
  std::vector<LoadedPolicy> policies;
};
Result<LoadedRoute> LoadRoute(const RouteRequest& request, Services& services);

// Opens what `route` names. A policy without any named in the route: all shipped ones. Alarms of
// the screen's audit go to `console`, which must outlive the judge, as `services` must where it is
// served. What the route may leave for
// later goes into the job queue of the data folder, which is made where there is none.
Result<OpenedRoute> OpenRoute(LoadedRoute route, const RouteRequest& request, Services& services,
                              Console& console);

// How many verdicts `judge` left for later; 0 for one that is no cascade.
std::size_t PutOffBy(const moderation::Judge& judge);
// "2 verdicts wait for the reasoner: ..."
std::string PutOffText(std::size_t verdicts);

// The screen of a route as a choice of judge; `kind` as of RoutePolicy::screen, empty: the route's.
// Classifiers are looked for in `data_dir`.
JudgeChoice ScreenChoice(const moderation::RouteFile& file, const std::string& kind,
                         const std::string& data_dir, std::size_t threads);

}  // namespace safeguard::apps
