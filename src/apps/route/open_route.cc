#include "apps/route/open_route.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "apps/calibration/find_calibration.h"
#include "apps/input/policy_catalog.h"
#include "apps/input/policy_folder.h"
#include "apps/output/display_text.h"
#include "apps/route/policy_screens.h"
#include "apps/route/reloadable_lists.h"
#include "apps/route/route_stores.h"
#include "apps/route/system_time.h"
#include "base/file.h"
#include "base/hash.h"
#include "moderation/calibrated_judge.h"

namespace safeguard::apps {
namespace {

constexpr std::size_t kCallsMax = 64;

std::vector<JudgeChoice> ReasonerChoices(const moderation::RouteFile& file, std::size_t threads,
                                         bool interactive) {
  std::vector<JudgeChoice> choices;
  for (const moderation::RouteReasoner& reasoner : file.settings.reasoners) {
    JudgeChoice choice;
    choice.judge = reasoner.judge;
    choice.model = reasoner.model;
    choice.recorded = reasoner.recorded;
    choice.threads = threads;
    choice.effort = reasoner.effort;
    choice.answer = reasoner.answer;
    choice.precision = reasoner.precision;
    choice.temperature = reasoner.temperature;
    choice.seed = file.settings.seed;
    if (interactive) {
      // What runs on after that would only cost.
      choice.time_limit_s = std::chrono::duration<double>(file.settings.time_budget).count();
    }
    choices.push_back(std::move(choice));
  }
  return choices;
}

// The route's own ("") and those that policies have instead of it.
std::set<std::string> ScreenKindsOf(const LoadedRoute& route) {
  std::set<std::string> kinds = {""};
  for (const moderation::RoutePolicy& policy : route.file.settings.policies) {
    if (policy.screen != route.file.screen_kind) {
      kinds.insert(policy.screen);
    }
  }
  return kinds;
}

Result<std::string> IdentityOf(const LoadedRoute& route, std::span<const JudgeChoice> reasoners,
                               const std::string& data_dir, std::size_t threads,
                               Services& services) {
  std::string identity = "route " + route.hash;
  std::vector<JudgeChoice> choices(reasoners.begin(), reasoners.end());
  for (const std::string& kind : ScreenKindsOf(route)) {
    choices.push_back(ScreenChoice(route.file, kind, data_dir, threads));
  }
  for (const JudgeChoice& choice : choices) {
    const Result<std::string> one = services.JudgeIdentity(choice);
    if (!one) {
      return std::unexpected(one.error());
    }
    identity += " | " + *one;
  }
  return identity;
}

void Alarm(const moderation::RecallAlarm& alarm, Console& console) {
  console.Error(fmt::format(
      "safeguard: alarm: the screen's recall under {} has left its bound {:.3g}: {:.3f} "
      "({:.3f}-{:.3f}), of {} audited\n",
      Printable(alarm.policy), alarm.bound, alarm.estimate.recall.value_or(0), alarm.estimate.low,
      alarm.estimate.high, alarm.estimate.audited_safe));
}

std::function<void(const moderation::RecallAlarm&)> AlarmsOf(const RouteRequest& request,
                                                             Console& console) {
  if (request.on_alarm) {
    return request.on_alarm;
  }
  return [&console](const moderation::RecallAlarm& alarm) { Alarm(alarm, console); };
}

struct OpenedScreen {
  std::unique_ptr<moderation::Judge> judge;
  Calibrations calibrations;
};

// The route's screen, and where policies have another one, both behind one face.
Result<OpenedScreen> OpenScreen(const LoadedRoute& route, const RouteRequest& request,
                                Services& services, Console& console) {
  OpenedScreen opened;
  std::map<std::string, std::shared_ptr<moderation::Judge>> own;
  for (const std::string& kind : ScreenKindsOf(route)) {
    const JudgeChoice choice = ScreenChoice(route.file, kind, request.data_dir, request.threads);
    std::vector<LoadedPolicy> policies;
    for (const LoadedPolicy& loaded : route.policies) {
      const std::string wanted =
          moderation::PolicySettings(route.file.settings, loaded.policy.id).screen;
      if ((wanted == route.file.screen_kind ? "" : wanted) == kind) {
        policies.push_back(loaded);
      }
    }
    if (policies.empty() && !kind.empty()) {
      continue;
    }
    Result<std::unique_ptr<moderation::Judge>> judge = services.OpenJudge(choice);
    if (!judge) {
      return std::unexpected(judge.error());
    }
    // Named files are of the route's screen; other screens have what is kept with the policies.
    CalibrationChoice wanted = request.calibration;
    if (!kind.empty()) {
      wanted.files.clear();
    }
    Result<Calibrations> calibrations =
        FindCalibrations(wanted, kind.empty() ? route.policies : policies, request.data_dir, choice,
                         services, console);
    if (!calibrations) {
      return std::unexpected(calibrations.error());
    }
    for (const LoadedPolicy& loaded : policies) {
      if (const auto of = calibrations->find(loaded.policy.hash); of != calibrations->end()) {
        opened.calibrations.insert(std::move(*of));
      }
    }
    if (kind.empty()) {
      opened.judge = std::move(*judge);
      continue;
    }
    const std::shared_ptr<moderation::Judge> shared = std::move(*judge);
    for (const LoadedPolicy& loaded : policies) {
      own[loaded.policy.id] = shared;
    }
  }
  if (!own.empty()) {
    opened.judge = PolicyScreens(std::move(opened.judge), std::move(own));
  }
  return opened;
}

// The screen with the calibrations that were found, and under versions that come to answer later
// with what the store keeps with them.
std::shared_ptr<moderation::Judge> FollowingScreen(OpenedScreen screen,
                                                   const moderation::RouteFile& file,
                                                   const RouteRequest& request, Services& services,
                                                   Console& console) {
  const auto find =
      [found = std::move(screen.calibrations), file, data_dir = request.data_dir,
       threads = request.threads, &services, &console](
          const moderation::Policy& policy) -> Result<std::optional<moderation::ScoreCalibration>> {
    if (const auto place = found.find(policy.hash); place != found.end()) {
      return place->second;
    }
    const Result<LoadedPolicy> loaded =
        PolicyCatalog(services.shipped_policies(), data_dir)
            .Load(policy.id + "@" + policy.version, "", Golden::kRead);
    if (!loaded && loaded.error().code != ErrorCode::kNotFound) {
      return std::unexpected(loaded.error());
    }
    if (!loaded || loaded->policy.hash != policy.hash) {
      return std::nullopt;  // it is in no store
    }
    const std::string kind = moderation::PolicySettings(file.settings, policy.id).screen;
    const Result<Calibrations> kept = FindCalibrations(
        {}, {*loaded}, data_dir,
        ScreenChoice(file, kind == file.screen_kind ? "" : kind, data_dir, threads), services,
        console);
    if (!kept) {
      return std::unexpected(kept.error());
    }
    const auto place = kept->find(policy.hash);
    return place == kept->end() ? std::nullopt : std::optional(place->second);
  };
  return std::make_shared<moderation::CalibratedJudge>(std::move(screen.judge), find);
}

// Policies are ready before the first content; a name in the route is the policy's id from here on.
Status PrepareAll(Judging& judging) {
  for (const LoadedPolicy& loaded : judging.policies) {
    auto prepared = judging.judge->Prepare(loaded.policy, loaded.golden);
    if (!prepared) {
      Error error = prepared.error();
      error.message = "the policy " + loaded.policy.id + " cannot be used: " + error.message;
      return std::unexpected(std::move(error));
    }
    judging.prepared.push_back(std::move(*prepared));
  }
  return {};
}

}  // namespace

std::size_t PutOffBy(const moderation::Judge& judge) {
  double count = 0;
  for (const auto& [name, value] : judge.Counters()) {
    count += name.starts_with("deferred_") ? value : 0;
  }
  return static_cast<std::size_t>(std::llround(count));
}

std::string PutOffText(std::size_t verdicts) {
  return fmt::format("{} {} in the job queue to be finished by a reasoner: safeguard jobs run\n",
                     verdicts, verdicts == 1 ? "verdict waits" : "verdicts wait");
}

void ListWatch::Look() {
  const auto now = std::chrono::steady_clock::now();
  if (!reload_ || (looked_ && now - *looked_ < std::chrono::seconds(1))) {
    return;
  }
  looked_ = now;
  const Result<bool> reloaded = reload_();
  if (!reloaded) {
    console_.Error("safeguard: the lists have changed and cannot be used; the former ones stay: " +
                   Printable(Describe(reloaded.error())) + "\n");
  } else if (*reloaded) {
    console_.Error("safeguard: the lists have changed and are in use\n");
  }
}

JudgeChoice ScreenChoice(const moderation::RouteFile& file, const std::string& kind,
                         const std::string& data_dir, std::size_t threads) {
  const std::string chosen = kind.empty() ? file.screen_kind : kind;
  JudgeChoice choice;
  choice.judge = file.screen;
  choice.model = file.screen_model;
  if (chosen == "dedicated" && file.screen == "screen") {
    choice.judge = chosen;
    choice.model = data_dir;
  } else {
    choice.screen = chosen == "dedicated" ? "auto" : chosen;
  }
  choice.recorded = file.screen_recorded;
  choice.threads = threads;
  return choice;
}

namespace {

void RenameGuarded(std::optional<moderation::RouteGuard>& guard, const std::string& name,
                   const std::string& id) {
  if (guard) {
    std::ranges::replace(guard->input.policies, name, id);
    std::ranges::replace(guard->output.policies, name, id);
  }
}

}  // namespace

Result<LoadedRoute> LoadRoute(const RouteRequest& request, Services& services) {
  const Result<std::string> bytes = ReadFile(request.path, moderation::kRouteBytesMax);
  if (!bytes) {
    return std::unexpected(bytes.error());
  }
  Result<moderation::RouteFile> file = moderation::ReadRouteFile(*bytes);
  if (!file) {
    Error error = file.error();
    error.message = request.path + ": " + error.message;
    return std::unexpected(std::move(error));
  }
  LoadedRoute route{std::move(*file), Blake2bHex(*bytes), {}};
  JudgingRequest judging;
  for (const moderation::RoutePolicy& policy : route.file.settings.policies) {
    judging.policies.push_back(policy.policy);
  }
  judging.data_dir = PolicyFolder(request.data_dir, judging.policies);
  Result<std::vector<LoadedPolicy>> policies = LoadPolicies(judging, services);
  if (!policies) {
    return std::unexpected(policies.error());
  }
  route.policies = std::move(*policies);
  for (std::size_t p = 0; p < route.file.settings.policies.size(); ++p) {
    std::string& name = route.file.settings.policies[p].policy;
    RenameGuarded(route.file.guard, name, route.policies[p].policy.id);
    name = route.policies[p].policy.id;
  }
  const Status checked = moderation::CheckRoute(route.file.settings);
  if (!checked) {
    return std::unexpected(checked.error());  // two names of one policy
  }
  return route;
}

Result<OpenedRoute> OpenRoute(LoadedRoute route, const RouteRequest& request, Services& services,
                              Console& console) {
  const std::vector<JudgeChoice> reasoner_choices =
      ReasonerChoices(route.file, request.threads, !request.bulk);
  Result<std::string> identity =
      IdentityOf(route, reasoner_choices, request.data_dir, request.threads, services);
  if (!identity) {
    return std::unexpected(identity.error());
  }
  OpenedRoute opened;
  opened.identity = std::move(*identity);
  Result<RouteGuards> guards = services.OpenGuards(route.file.lists);
  if (!guards) {
    return std::unexpected(guards.error());
  }
  moderation::CascadeParts parts;
  if (const Status kept = OpenKept(route, request, parts); !kept) {
    return std::unexpected(kept.error());
  }
  if (auto lists = std::dynamic_pointer_cast<ReloadableLists>(guards->lists)) {
    opened.reload_lists = [lists] { return lists->Reload(); };
  }
  Result<OpenedScreen> screen = OpenScreen(route, request, services, console);
  if (!screen) {
    return std::unexpected(screen.error());
  }
  auto reasoners = services.OpenReasoners(reasoner_choices);
  if (!reasoners) {
    return std::unexpected(reasoners.error());
  }
  opened.calibrations = apps::IdentityOf(screen->calibrations);
  parts.screen = request.served
                     ? FollowingScreen(std::move(*screen), route.file, request, services, console)
                     : Calibrated(std::move(screen->judge), std::move(screen->calibrations));
  moderation::RouteSettings settings = std::move(route.file.settings);
  settings.bulk = request.bulk;
  if (request.measuring) {
    settings.governor.budget = {};
    settings.governor.latency_p99.reset();
  }
  parts.lists = guards->lists;
  parts.languages = guards->languages;
  parts.tamper = guards->tamper;
  for (std::unique_ptr<moderation::Judge>& reasoner : *reasoners) {
    parts.reasoners.push_back(std::move(reasoner));
  }
  parts.clock = SteadyClock();
  parts.random = moderation::SeededRandom(settings.seed);
  parts.calls = ThreadedCalls(kCallsMax);
  if (!request.measuring && !(request.finishing && parts.ledger == nullptr)) {
    parts.on_alarm = AlarmsOf(request, console);
  }
  opened.name = settings.name;
  auto cascade = moderation::MakeCascade(std::move(settings), std::move(parts));
  opened.cascade = cascade.get();
  opened.judging.judge = std::move(cascade);
  opened.judging.policies = std::move(route.policies);
  const Status prepared = request.served ? Status{} : PrepareAll(opened.judging);
  if (!prepared) {
    return std::unexpected(prepared.error());
  }
  return opened;
}

}  // namespace safeguard::apps
