// Fetches the missing chunks of many files over a few connections, retrying what fails.
//
// The missing runs of chunks of all files are jobs in a queue; each connection takes the first that
// is due. A job that fails goes back with what is left of it and waits longer each time; it gives
// up after Timing::tries failures without progress between them, and then the whole pull ends, with
// all that has arrived kept. A server that ignores ranges gets one job for the whole file.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "apps/pull/download_job.h"
#include "apps/pull/finisher.h"
#include "apps/pull/http_client.h"
#include "apps/pull/pull_observer.h"
#include "apps/pull/pull_settings.h"

namespace safeguard::apps::pull {

class Downloader {
 public:
  struct Surroundings {  // all of which must outlive the Downloader
    HttpClient& client;
    Finisher& finisher;
    PullObserver& observer;
    const PullSettings& settings;
    const std::atomic<bool>& stop;
  };

  Downloader(Surroundings surroundings, std::vector<PullTask>& tasks, std::size_t connections);
  ~Downloader();
  Downloader(const Downloader&) = delete;
  Downloader& operator=(const Downloader&) = delete;

  // Until every task is in place. On failure, and when stopped (kUnavailable), what has arrived is
  // durable.
  [[nodiscard]] Status Run();
  // That came over the network, also in vain.
  [[nodiscard]] std::uint64_t bytes_received() const { return bytes_received_; }

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] Status Loop();
  void StartJobs();
  [[nodiscard]] Status Handle(std::unique_ptr<DownloadJob> job, const HttpResult& result);
  [[nodiscard]] Status Retry(std::unique_ptr<DownloadJob> job, const HttpResult& result);
  void FetchWhole(std::unique_ptr<DownloadJob> job);
  [[nodiscard]] Status FinishIfComplete(PullTask& task);
  [[nodiscard]] Status SyncAll();
  void Report();

  Surroundings around_;
  std::vector<PullTask>& tasks_;
  std::size_t connections_;
  std::deque<std::unique_ptr<DownloadJob>> waiting_;
  std::map<TransferId, std::unique_ptr<DownloadJob>> active_;
  Clock::time_point paused_until_;  // by a server's Retry-After
  Clock::time_point synced_ = Clock::now();
  std::string reason_;  // of the last failure
  std::uint64_t bytes_start_ = 0;
  std::uint64_t bytes_received_ = 0;
};

}  // namespace safeguard::apps::pull
