#include "apps/serve/served_routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <utility>

#include "apps/commands/serve_parts.h"
#include "apps/receipt/judge_setup.h"
#include "apps/serve/route_guarding.h"
#include "base/utc_time.h"

namespace safeguard::apps {
namespace {

// Calls of a cascade at once: most of their time they wait for a reasoner.
constexpr std::size_t kWorkersLeast = 4;
// Contents of one call, which has the time budget of one request.
constexpr std::size_t kBatchContentsMax = 16;

std::string AbsolutePath(const std::string& path) {
  std::error_code failed;
  const std::filesystem::path absolute = std::filesystem::absolute(path, failed);
  return failed ? path : absolute.lexically_normal().string();
}

// What the policy is called by at the shelf: a version in the store or a file stays what it is.
std::string ShelfName(const LoadedPolicy& loaded) {
  if (loaded.stored) {
    return loaded.routed ? loaded.policy.id
                         : loaded.policy.id + "@" + std::to_string(loaded.stored->number);
  }
  return loaded.origin == kShippedOrigin ? loaded.policy.id
                                         : loaded.policy.id + "@" + loaded.policy.hash;
}

// The policies that are in no store.
std::vector<http::ShippedPolicy> OwnPolicies(const std::vector<LoadedPolicy>& policies) {
  std::vector<http::ShippedPolicy> own;
  for (const LoadedPolicy& loaded : policies) {
    if (!loaded.stored) {
      own.push_back({loaded.policy, loaded.bytes, loaded.golden, ""});
    }
  }
  return own;
}

// What of the route is kept in a data folder.
std::string KeepsWhat(const moderation::RouteSettings& route) {
  const moderation::ComputeBudget& budget = route.governor.budget;
  if (moderation::PutsOff(route)) {
    return "may put verdicts off";
  }
  if (route.review_undetermined || route.review_violations) {
    return "files cases for review";
  }
  return budget.tokens_per_second || budget.share || budget.money_per_day ? "has a budget" : "";
}

}  // namespace

// Members are destroyed from the last to the first: whoever uses another goes before it.
struct ServedRoutes::One {
  std::string file;
  std::vector<std::string> names;        // for the shelf
  std::vector<http::ShippedPolicy> own;  // policies of no store
  std::size_t lists = 0;
  OpenedRoute route;
  std::unique_ptr<moderation::VerdictLog> log;  // null: nothing is recorded
  std::optional<http::PolicyShelf> shelf;
  std::optional<http::Judging> judging;
  std::optional<http::GuardOptions> guard;  // empty: the proxy takes nothing under it
  std::optional<SlowRoute> slow;            // where that degrades

  std::optional<OpenedRoute> finishing;
  std::optional<FinishingCascade> finisher;
  std::optional<http::PolicyShelf> finishing_shelf;
  std::string finishing_setup;  // for receipts
  std::string trouble;          // with the lists, as it was told last
};

ServedRoutes::ServedRoutes(ServedRoutesParts parts) : parts_(std::move(parts)) {}

ServedRoutes::~ServedRoutes() {
  Stop();
}

std::expected<std::unique_ptr<ServedRoutes>, ServedRoutes::Refusal> ServedRoutes::Open(
    ServedRoutesParts parts) {
  parts.judging.workers = std::max(parts.judging.workers, kWorkersLeast);
  parts.judging.batch_contents_max = std::min(parts.judging.batch_contents_max, kBatchContentsMax);
  std::unique_ptr<ServedRoutes> opened(new ServedRoutes(std::move(parts)));
  for (const std::string& file : opened->parts_.files) {
    if (auto one = opened->OpenOne(file); !one) {
      std::string& message = one.error().error.message;
      if (message.find(file) == std::string::npos) {
        message = "the route of " + file + " cannot be used: " + message;
      }
      return std::unexpected(std::move(one.error()));
    }
  }
  for (const std::unique_ptr<One>& one : opened->all_) {
    opened->routes_.push_back({one->route.name, *one->judging, *one->shelf, *one->route.cascade,
                               one->names, one->finisher ? &*one->finisher : nullptr, one->file,
                               one->guard, one->slow ? &one->slow->judging() : nullptr,
                               one->lists});
  }
  return opened;
}

RouteRequest ServedRoutes::RequestOf(const std::string& file, const std::string& name,
                                     bool finishing) const {
  RouteRequest request;
  request.path = file;
  request.data_dir = parts_.folder;
  request.threads = parts_.threads;
  request.bulk = finishing;
  request.finishing = finishing;
  request.keep_content = parts_.judging.keep_content;
  request.served = true;
  request.on_alarm = [tell = parts_.tell, name](const moderation::RecallAlarm& alarm) {
    tell("screen-recall-alarm",
         fmt::format("route {}: the screen's recall under {} has left its bound {:.3g}: {:.3f} "
                     "({:.3f}-{:.3f}), of {} audited",
                     name, alarm.policy, alarm.bound, alarm.estimate.recall.value_or(0),
                     alarm.estimate.low, alarm.estimate.high, alarm.estimate.audited_safe),
         true);
  };
  return request;
}

Status ServedRoutes::CheckNew(const std::string& file, const LoadedRoute& loaded) const {
  const std::string& name = loaded.file.settings.name;
  for (const std::unique_ptr<One>& other : all_) {
    if (other->route.name == name) {
      return Fail(ErrorCode::kInvalidInput,
                  "two routes are called " + name + ": " + other->file + " and " + file,
                  "give each its own name with `route:`");
    }
  }
  const std::string keeps = KeepsWhat(loaded.file.settings);
  if (parts_.folder.empty() && !keeps.empty()) {
    return Fail(ErrorCode::kInvalidInput,
                file + ": the route " + name + " " + keeps + ", and this server keeps nothing",
                "say where with --data-dir DIR");
  }
  return {};
}

std::expected<void, ServedRoutes::Refusal> ServedRoutes::OpenOne(const std::string& file) {
  Result<LoadedRoute> loaded = LoadRoute(RequestOf(file, "", false), parts_.services);
  if (!loaded) {
    return std::unexpected(Refusal{loaded.error()});
  }
  if (const Status fits = CheckNew(file, *loaded); !fits) {
    return std::unexpected(Refusal{fits.error(), true});
  }
  auto one = std::make_unique<One>();
  one->file = AbsolutePath(file);
  one->lists = loaded->file.lists.size();
  one->own = OwnPolicies(loaded->policies);
  std::ranges::transform(loaded->policies, std::back_inserter(one->names), ShelfName);
  LoadedRoute again = *loaded;
  const std::string name = loaded->file.settings.name;
  Result<OpenedRoute> route =
      OpenRoute(std::move(*loaded), RequestOf(file, name, false), parts_.services, parts_.console);
  if (!route) {
    return std::unexpected(Refusal{route.error()});
  }
  one->route = std::move(*route);
  if (parts_.log != nullptr) {
    one->log = WithRouteSetup(*parts_.log, RouteSetup(file, parts_.services));
  }
  one->shelf.emplace(*one->route.judging.judge, one->own, parts_.policies, ReadGolden);
  one->judging.emplace(http::JudgingParts{*one->route.judging.judge, *one->shelf, one->log.get(),
                                          parts_.metrics, UtcNow, one->route.cascade},
                       parts_.judging);
  if (const Status guarded = OpenGuard(again, *one); !guarded) {
    return std::unexpected(Refusal{guarded.error()});
  }
  if (parts_.finishes) {
    const Status finishing = OpenFinishing(file, std::move(again), *one);
    if (!finishing) {
      return std::unexpected(Refusal{finishing.error()});
    }
  }
  all_.push_back(std::move(one));
  return {};
}

// What the proxy promises under the route, and who decides where that degrades.
Status ServedRoutes::OpenGuard(const LoadedRoute& loaded, One& one) const {
  if (!loaded.file.guard) {
    return {};
  }
  Result<http::GuardOptions> options = GuardOptionsOf(loaded, one.names);
  if (!options) {
    return std::unexpected(options.error());
  }
  one.guard = std::move(*options);
  if (!Degrades(*loaded.file.guard)) {
    return {};
  }
  if (parts_.slow_judge == nullptr && loaded.file.settings.reasoners.empty()) {
    return Fail(ErrorCode::kInvalidInput,
                "the guard degrades, and the route has nobody to ask then: no reasoner",
                "give it one, or start the server with --slow-judge");
  }
  one.slow.emplace(SlowRouteParts{
      .cascade = *one.route.cascade,
      .shelf = *one.shelf,
      .log = one.log.get(),
      .slow_judge = parts_.slow_judge,
      .slow_log = parts_.slow_judge != nullptr && parts_.slow_log ? parts_.slow_log() : nullptr,
      .own = one.own,
      .policies = parts_.policies,
      .metrics = parts_.metrics,
      .judging = parts_.judging});
  return {};
}

Status ServedRoutes::OpenFinishing(const std::string& file, LoadedRoute loaded, One& one) {
  const RouteRequest request = RequestOf(file, one.route.name, true);
  Result<OpenedRoute> route =
      OpenRoute(std::move(loaded), request, parts_.services, parts_.console);
  if (!route) {
    return std::unexpected(route.error());
  }
  one.finishing = std::move(*route);
  one.finisher.emplace(*one.finishing->cascade);
  one.finishing_shelf.emplace(*one.finisher, one.own, parts_.policies, ReadGolden);
  one.finishing_setup = RouteSetup(file, parts_.services, true);
  return {};
}

Status ServedRoutes::Warm() {
  for (const std::unique_ptr<One>& one : all_) {
    if (Status warm = one->shelf->Warm(); !warm) {
      return warm;
    }
    const auto snapshot = one->shelf->Snapshot();
    if (!snapshot) {
      return std::unexpected(snapshot.error());
    }
    const auto policies = one->shelf->Resolve(snapshot->get(), one->names, "");
    if (!policies) {
      Error error = policies.error();
      error.message = "the route " + one->route.name + " cannot judge: " + error.message;
      return std::unexpected(std::move(error));
    }
  }
  return {};
}

moderation::RouteSource ServedRoutes::Finisher() {
  return [this](const moderation::Judgement& judgement) -> Result<moderation::RouteFinish> {
    const auto found = std::ranges::find_if(all_, [&](const std::unique_ptr<One>& one) {
      return one->route.name == judgement.route && one->finisher;
    });
    if (found == all_.end()) {
      return Fail(ErrorCode::kNotFound, "this server has no route " + judgement.route,
                  "start it with --route FILE, or run safeguard jobs run --route FILE");
    }
    One& one = **found;
    return moderation::RouteFinish{&*one.finisher,
                                   [&one](const moderation::JudgedPolicy& policy) {
                                     return one.finishing_shelf->Find(policy.policy, policy.text);
                                   },
                                   one.finishing_setup};
  };
}

void ServedRoutes::LookAtLists() {
  for (const std::unique_ptr<One>& one : all_) {
    LookAtListsOf(*one);
  }
}

void ServedRoutes::LookAtListsOf(One& one) {
  std::string trouble;
  bool news = false;
  for (OpenedRoute* route : {&one.route, one.finishing ? &*one.finishing : nullptr}) {
    if (route == nullptr || !route->reload_lists) {
      continue;
    }
    const Result<bool> reloaded = route->reload_lists();
    if (reloaded) {
      news = news || *reloaded;
    } else {
      trouble = Describe(reloaded.error());
    }
  }
  if (!trouble.empty() && trouble != one.trouble) {
    parts_.tell("lists-unreadable",
                "route " + one.route.name + ", the former ones stay: " + trouble, true);
  } else if (trouble.empty() && news) {
    parts_.tell("lists-reloaded", "route " + one.route.name, false);
  }
  one.trouble = trouble;
}

void ServedRoutes::SetQueueMax(std::size_t contents) {
  for (const std::unique_ptr<One>& one : all_) {
    one->judging->SetQueueMax(contents);
    if (one->slow) {
      one->slow->judging().SetQueueMax(contents);
    }
  }
}

void ServedRoutes::StopFinishing() {
  for (const std::unique_ptr<One>& one : all_) {
    if (one->finisher) {
      one->finisher->Stop();
    }
  }
}

void ServedRoutes::Stop() {
  StopFinishing();
  for (const std::unique_ptr<One>& one : all_) {
    one->judging->Stop();
    if (one->slow) {
      one->slow->judging().Stop();
    }
  }
}

}  // namespace safeguard::apps
