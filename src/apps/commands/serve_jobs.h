// The workers of a server's own queues, one a tenant: one thread judges what was put off, with
// others where there are routes, one evaluates, some tell webhooks, and each goes round all queues,
// so that no tenant's jobs wait for another's to end.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "http/metrics.h"
#include "http/policy_shelf.h"
#include "moderation/clock.h"
#include "moderation/job_workers.h"

namespace safeguard::apps {

// A tenant's. All outlive the ServeJobs.
struct JobsOfTenant {
  moderation::JobQueue& queue;
  moderation::VerdictLog& log;
  moderation::Judge& judge;
  http::PolicyShelf& shelf;
  std::unique_ptr<moderation::JobWorker> evals{};  // null: evaluations wait for another process
  moderation::MessageSender* sender = nullptr;     // null: notices wait for another process
  std::function<bool()> may_send{};                // false: they wait; not set: always
  // Who finishes what routes put off; not set: nobody here does.
  moderation::RouteSource routes{};
  std::string webhook{};  // told of jobs that name none; empty: nobody is
};

// Tells how many jobs wait and how many are dead, of each tenant; `queues` is asked each time.
void AddJobGauges(http::Metrics& metrics,
                  std::function<std::map<std::string, moderation::JobQueue*>()> queues);

struct ServeJobsParts {
  // Event and detail for the server's log; called from any thread.
  std::function<void(const std::string&, const std::string&)> tell;
  // Besides the thread that judges, for tenants with routes: a reasoner may take its time.
  std::size_t route_threads = 0;
};

// Works from construction to Stop(). What is under way then is finished; what waits stays on the
// disk for the next start.
class ServeJobs {
 public:
  explicit ServeJobs(ServeJobsParts parts);
  ~ServeJobs();  // Stop()
  ServeJobs(const ServeJobs&) = delete;
  ServeJobs& operator=(const ServeJobs&) = delete;

  // Works on these too, from now on. Thread-safe.
  void Add(JobsOfTenant tenant);
  void Stop();

 private:
  // What one thread has of one tenant.
  struct Post {
    moderation::JobQueue* queue;
    std::unique_ptr<moderation::JobWorker> worker;
  };

  void Run(std::size_t thread);
  Result<std::size_t> WorkOnce(std::size_t thread, bool prunes);
  moderation::WorkerOptions OptionsOf(const JobsOfTenant& tenant) const;

  ServeJobsParts parts_;
  mutable std::mutex mutex_;
  std::unique_ptr<moderation::RandomSource> random_;
  std::atomic<bool> stopping_{false};
  // By thread; guarded by mutex_, under which none is taken away.
  std::vector<std::vector<std::unique_ptr<Post>>> posts_;
  std::vector<std::thread> threads_;
};

}  // namespace safeguard::apps
