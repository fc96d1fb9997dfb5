// What `classify` and `batch` share: the policies that a user named, made ready for the judge.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apps/calibration/find_calibration.h"
#include "apps/input/policy_catalog.h"
#include "apps/judge_choice.h"
#include "apps/services.h"
#include "base/result.h"
#include "moderation/judge.h"

namespace safeguard::apps {

struct Judging {
  std::unique_ptr<moderation::Judge> judge;
  std::vector<LoadedPolicy> policies;
  std::vector<std::shared_ptr<const moderation::PreparedPolicy>> prepared;  // of policies[i]
};

struct JudgingRequest {
  std::vector<std::string> policies;  // empty: all shipped
  std::string golden;                 // only with a single policy
  std::string data_dir{};             // --data-dir; see PolicyCatalog
  JudgeChoice judge;
};

// What is wrong with the request itself: a golden set for several policies, a policy named twice.
Status CheckUsage(const JudgingRequest& request);

// What is wrong with the choice of a judge: options that need or exclude each other.
Status CheckJudge(const JudgeChoice& choice);

// Reads the policies first, so that a wrong name is told before a model is opened.
Result<std::vector<LoadedPolicy>> LoadPolicies(const JudgingRequest& request, Services& services);

Result<Judging> OpenJudging(std::vector<LoadedPolicy> policies, const JudgingRequest& request,
                            Calibrations calibrations, Services& services);

}  // namespace safeguard::apps
