// The tenants of a server besides the default one. Each has a data folder of its own,
// DATA/tenants/NAME, with its own policies, verdicts, audit log, jobs and reviews, so that a query
// that forgets whose it is cannot be written; only the model is shared.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>

#include "apps/commands/serve_parts.h"
#include "http/judging.h"
#include "http/metrics.h"
#include "http/policy_shelf.h"
#include "http/service.h"
#include "moderation/judge.h"
#include "moderation/message_sender.h"

namespace safeguard::apps {

inline constexpr std::size_t kTenantsMax = 64;  // of one server, besides the default one

// Where a data folder has what evaluations have under way.
std::string EvalFolder(const std::string& data_folder);

// The data folder of a tenant. REQUIRES: http::CheckTenant(tenant), and one tenant.
std::string TenantFolder(const std::string& data_folder, const std::string& tenant);

struct TenantsParts {
  std::string folder;        // of the server; empty: nothing is kept, and there are no tenants
  moderation::Judge& judge;  // as it was opened, without anybody's calibrations
  std::span<const http::ShippedPolicy> shipped;
  http::Metrics& metrics;
  http::JudgingOptions judging;
  moderation::Judge* slow_judge = nullptr;  // that the proxy asks where it degrades; null: none
  // The judge as a tenant has it: with the calibrations that it keeps. May wrap what is kept.
  std::function<std::unique_ptr<moderation::Judge>(std::unique_ptr<moderation::Judge>, Kept&)>
      judge_of;
  // The tenant's log as the slow judge writes to it. REQUIRES: set, with a slow judge.
  std::function<std::unique_ptr<moderation::VerdictLog>(Kept&)> slow_log_of{};
  // Whose policies the server's own configuration names; null: the tenant's.
  http::PolicyShelf* shelf = nullptr;
  http::PolicyShelf* slow_shelf = nullptr;  // the same for the slow judge
  // What tells its webhooks, from its folder; not set: nothing does.
  std::function<Result<std::unique_ptr<moderation::MessageSender>>(const std::string& folder)>
      sender_of{};
};

// Thread-safe.
class Tenants {
 public:
  // One tenant's own.
  struct Tenant {
    Kept kept;
    std::unique_ptr<moderation::Judge> judge;
    std::unique_ptr<http::PolicyShelf> shelf;
    std::unique_ptr<http::Judging> judging;
    std::unique_ptr<http::PolicyShelf> slow_shelf;  // null without a slow judge, as the next
    std::unique_ptr<moderation::VerdictLog> slow_log;
    std::unique_ptr<http::Judging> slow_judging;
    std::unique_ptr<http::TenantParts> parts;
    std::unique_ptr<moderation::MessageSender> sender;  // null: its notices wait
  };

  explicit Tenants(TenantsParts parts);

  // Opens those of `names` that are not open, and tells `opened` of each. The first error is
  // returned; the others are opened all the same.
  Status Open(const std::set<std::string>& names, const std::function<void(Tenant&)>& opened);
  // Null where it is not open. What it gives lives as long as this.
  const http::TenantParts* Find(const std::string& name) const;

  // The job queues of all that are open, by tenant. They live as long as this.
  std::map<std::string, moderation::JobQueue*> Queues() const;

  void SetQueueMax(std::size_t contents);
  // Judges what waits, and ends the threads of all.
  void Stop();

 private:
  Result<std::unique_ptr<Tenant>> OpenOne(const std::string& name) const;

  TenantsParts parts_;
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Tenant>> tenants_;  // guarded by mutex_; none goes
};

}  // namespace safeguard::apps
