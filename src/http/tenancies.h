// The routes of the API over each tenant's own parts: a handler of one has no way to another's.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "http/api/batch_worker.h"
#include "http/api/routes.h"
#include "http/proxy/proxy.h"
#include "http/route_table.h"

namespace safeguard::http {

struct Tenancy {
  Tenancy(std::string name, const ServiceParts& parts, const ServiceOptions& options,
          DiskThreads& pieces);

  std::string name;
  RouteContext context;
  std::unique_ptr<Proxy> proxy;               // null: no request is passed on
  std::vector<Route> routes;                  // in the same order for every tenant
  RouteTable table;                           // of these, for the lines of batches
  std::unique_ptr<BatchWorker> batch_worker;  // null: no batches are kept
};

// Thread-safe.
class Tenancies {
 public:
  // `parts`: the default tenant's; `pieces` read bodies while they are sent. All outlive it.
  Tenancies(const ServiceParts& parts, const ServiceOptions& options, DiskThreads& pieces);

  [[nodiscard]] const Tenancy& of_default() const { return default_; }
  // Null where nobody has opened it.
  Tenancy* Find(const std::string& name);

  // Of requests that come from now on.
  void SetTimeout(std::chrono::milliseconds timeout);
  // Contents that wait for the judge.
  std::size_t Waiting();
  // Ends what is under way and nobody waits for, then what is at an upstream.
  void Stop();

 private:
  std::vector<Tenancy*> All();
  [[nodiscard]] ServiceParts PartsOf(const TenantParts& own) const;

  const ServiceParts& parts_;
  const ServiceOptions& options_;
  DiskThreads& pieces_;
  Tenancy default_;
  std::mutex mutex_;
  std::chrono::milliseconds timeout_;                       // guarded by mutex_
  std::map<std::string, std::unique_ptr<Tenancy>> others_;  // guarded by mutex_; none goes
};

}  // namespace safeguard::http
