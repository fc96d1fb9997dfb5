// The routes of jobs: their cascades, opened once, to finish what they left for later.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "apps/commands/job_policies.h"
#include "apps/output/console.h"
#include "apps/route/open_route.h"
#include "apps/services.h"
#include "base/result.h"
#include "moderation/job_workers.h"

namespace safeguard::apps {

// Used by one thread.
class JobRoutes {
 public:
  // `data_dir` is where stored policies are. All given must outlive it.
  JobRoutes(Services& services, Console& console, std::string data_dir, CalibrationChoice choice,
            std::size_t threads)
      : services_(services),
        console_(console),
        data_dir_(std::move(data_dir)),
        calibration_(std::move(choice)),
        threads_(threads) {}

  // The route of this file finishes the jobs of that file, and of its name wherever it lay.
  Status Open(const std::string& path);

  // Who finishes `judgement`: an opened route, else the one of the file that the job names, opened
  // now. That file must still hold a route of that name.
  Result<moderation::RouteFinish> Find(const moderation::Judgement& judgement);

  // How good the screen of each opened route is by its audits, under each policy that has any.
  struct Recall {
    std::string route;
    std::string policy;
    moderation::RecallEstimate estimate;  // trailing; its recall is there
    bool alarmed = false;
  };
  std::vector<Recall> Recalls();

 private:
  struct Opened {
    OpenedRoute route;
    std::string setup;                                                             // for receipts
    std::map<std::string, std::shared_ptr<const moderation::PreparedPolicy>> own;  // by hash
    std::unique_ptr<JobPolicies> others;
  };

  Result<Opened*> OpenFile(const std::string& path);
  static moderation::RouteFinish FinishBy(Opened& opened);

  Services& services_;
  Console& console_;
  std::string data_dir_;
  CalibrationChoice calibration_;
  std::size_t threads_;
  std::list<Opened> opened_;                // addresses stay
  std::map<std::string, Opened*> by_file_;  // by absolute path
  std::map<std::string, Opened*> by_name_;  // those that were named
};

}  // namespace safeguard::apps
