// The workers of a server's own queue: one thread judges what was put off, some tell webhooks.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "http/policy_shelf.h"
#include "moderation/clock.h"
#include "moderation/job_workers.h"

namespace safeguard::apps {

struct ServeJobsParts {
  moderation::JobQueue& queue;
  moderation::VerdictLog& log;
  moderation::Judge& judge;
  http::PolicyShelf& shelf;
  moderation::MessageSender* sender = nullptr;  // null: notices wait for another process
  // Event and detail for the server's log; called from any thread.
  std::function<void(const std::string&, const std::string&)> tell;
  std::unique_ptr<moderation::JobWorker> evals{};  // null: evaluations wait for another process
};

// Works from construction to Stop(). What is under way then is finished; what waits stays on the
// disk for the next start.
class ServeJobs {
 public:
  explicit ServeJobs(ServeJobsParts parts);
  ~ServeJobs();  // Stop()
  ServeJobs(const ServeJobs&) = delete;
  ServeJobs& operator=(const ServeJobs&) = delete;

  void Stop();

 private:
  void Run(moderation::JobWorker& worker, bool prunes);

  ServeJobsParts parts_;
  std::unique_ptr<moderation::RandomSource> random_;
  std::atomic<bool> stopping_{false};
  std::vector<std::unique_ptr<moderation::JobWorker>> workers_;
  std::vector<std::thread> threads_;
};

}  // namespace safeguard::apps
