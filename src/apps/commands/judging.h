// What `classify` and `batch` share: the policies that a user named, made ready for the judge.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apps/input/policy_catalog.h"
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
  std::string model;
  std::size_t threads = 1;
};

// What is wrong with the request itself: a golden set for several policies, a policy named twice.
Status CheckUsage(const JudgingRequest& request);

// Reads the policies first, so that a wrong name is told before a model is opened.
Result<std::vector<LoadedPolicy>> LoadPolicies(const JudgingRequest& request, Services& services);

Result<Judging> OpenJudging(std::vector<LoadedPolicy> policies, const JudgingRequest& request,
                            Services& services);

}  // namespace safeguard::apps
