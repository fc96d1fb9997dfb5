// The routes of a server (`serve --route FILE`). Each is opened once, as the default tenant's, with
// a queue and workers of its own; where the server works on jobs there is a second cascade beside
// it that finishes what it puts off. The two have their own governor and audit, which meet in the
// data folder as those of two processes do, and share the models in memory.
#pragma once

#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "apps/output/console.h"
#include "apps/route/open_route.h"
#include "apps/serve/finishing_cascade.h"
#include "apps/services.h"
#include "base/result.h"
#include "http/judging.h"
#include "http/metrics.h"
#include "http/policy_shelf.h"
#include "http/served_route.h"
#include "moderation/job_workers.h"
#include "moderation/policy_store.h"
#include "moderation/verdict_log.h"

namespace safeguard::apps {

struct ServedRoutesParts {
  std::vector<std::string> files;
  std::string folder;                           // of the server; empty: nothing is kept
  moderation::PolicyStore* policies = nullptr;  // of that folder, as the log; null without one
  moderation::VerdictLog* log = nullptr;
  http::Metrics& metrics;
  http::JudgingOptions judging;
  std::size_t threads = 1;  // of each model
  bool finishes = false;    // what is put off is finished here
  // Asked where a route's guard degrades, and the log it writes to; null: the route's reasoners
  // are.
  moderation::Judge* slow_judge = nullptr;
  std::function<std::unique_ptr<moderation::VerdictLog>()> slow_log{};
  Services& services;
  Console& console;
  // Event, detail and whether it is an error, for the server's log; called from any thread.
  std::function<void(const std::string&, const std::string&, bool)> tell;
};

// Thread-safe, but for LookAtLists(). All that the parts refer to outlives it.
class ServedRoutes {
 public:
  // Why there are none: which file cannot be used and why, or (`usage`) that those given do not go
  // together, or not with a server that keeps nothing.
  struct Refusal {
    Error error;
    bool usage = false;
  };
  static std::expected<std::unique_ptr<ServedRoutes>, Refusal> Open(ServedRoutesParts parts);
  ~ServedRoutes();  // Stop()
  ServedRoutes(const ServedRoutes&) = delete;
  ServedRoutes& operator=(const ServedRoutes&) = delete;

  // What it gives lives as long as this.
  [[nodiscard]] std::span<const http::ServedRoute> routes() const { return routes_; }
  // Prepares the policies as they are now, so that no request waits for it.
  Status Warm();
  // Who finishes what these routes put off; an error for another route's. This must outlive it.
  moderation::RouteSource Finisher();
  // Takes up lists whose files have changed, and tells of it. By one thread.
  void LookAtLists();
  void SetQueueMax(std::size_t contents);
  // Begins nothing more of what was put off.
  void StopFinishing();
  // Judges what waits already, then ends the threads.
  void Stop();

 private:
  struct One;

  explicit ServedRoutes(ServedRoutesParts parts);
  std::expected<void, Refusal> OpenOne(const std::string& file);
  [[nodiscard]] Status CheckNew(const std::string& file, const LoadedRoute& loaded) const;
  [[nodiscard]] RouteRequest RequestOf(const std::string& file, const std::string& name,
                                       bool finishing) const;
  Status OpenFinishing(const std::string& file, LoadedRoute loaded, One& one);
  [[nodiscard]] Status OpenGuard(const LoadedRoute& loaded, One& one) const;
  void LookAtListsOf(One& one);

  ServedRoutesParts parts_;
  std::vector<std::unique_ptr<One>> all_;
  std::vector<http::ServedRoute> routes_;
};

}  // namespace safeguard::apps
