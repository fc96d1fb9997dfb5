// The policies of jobs, made ready for the judge and calibrated: each once.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "apps/calibration/find_calibration.h"
#include "apps/output/console.h"
#include "apps/services.h"
#include "base/result.h"
#include "moderation/calibration.h"
#include "moderation/judge.h"
#include "moderation/judgement_job.h"

namespace safeguard::apps {

// The calibrations that jobs are judged with: of each policy the file that was named for its text,
// else what the store keeps with its version. What does not fit is said once and left out: the
// verdict stands, its score is the judge's own. Used by one thread.
class JobCalibrations {
 public:
  // Fails on a file that cannot be read. `services` and `console` must outlive it.
  static Result<std::unique_ptr<JobCalibrations>> Open(const CalibrationChoice& choice,
                                                       std::string data_dir, JudgeChoice judge,
                                                       Services& services, Console& console);

  // `judge` with these; this must outlive it.
  std::unique_ptr<moderation::Judge> Apply(std::unique_ptr<moderation::Judge> judge);
  // Finds that of `policy`, which is prepared next.
  void Learn(const LoadedPolicy& policy);

 private:
  JobCalibrations(bool none, std::string data_dir, JudgeChoice judge, Services& services,
                  Console& console)
      : none_(none),
        data_dir_(std::move(data_dir)),
        judge_(std::move(judge)),
        services_(services),
        console_(console) {}

  bool none_;
  std::string data_dir_;
  JudgeChoice judge_;
  Services& services_;
  Console& console_;
  std::map<std::string, std::string> files_;  // by the hash of the policy
  Calibrations found_;
};

// Used by one thread.
class JobPolicies {
 public:
  // `data_dir` is where stored versions are. `calibrations` may be null. All given must outlive it.
  JobPolicies(Services& services, std::string data_dir, moderation::Judge& judge,
              JobCalibrations* calibrations)
      : services_(services),
        data_dir_(std::move(data_dir)),
        judge_(judge),
        calibrations_(calibrations) {}

  // By the text that the job brings, else the store's version, whose bytes must have the hash that
  // the job names: it is judged under the text that its provisional verdict is of, or not at all.
  Result<std::shared_ptr<const moderation::PreparedPolicy>> Find(
      const moderation::JudgedPolicy& wanted);

 private:
  using Prepared = std::shared_ptr<const moderation::PreparedPolicy>;
  [[nodiscard]] Result<Prepared> Prepare(const moderation::JudgedPolicy& wanted) const;

  Services& services_;
  std::string data_dir_;
  moderation::Judge& judge_;
  JobCalibrations* calibrations_;
  // By id, version and hash; emptied when it grows beyond any sensible number.
  std::map<std::string, Prepared> prepared_;
};

}  // namespace safeguard::apps
