#include "apps/commands/judging.h"

#include <algorithm>
#include <utility>

namespace safeguard::apps {

Status CheckUsage(const JudgingRequest& request) {
  if (!request.golden.empty() && request.policies.size() != 1) {
    return Fail(ErrorCode::kInvalidInput, "--golden goes with exactly one --policy",
                "name the policy whose cases they are");
  }
  std::vector<std::string> names = request.policies;
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice != names.end()) {
    return Fail(ErrorCode::kInvalidInput, "the policy " + *twice + " is given twice",
                "name it once");
  }
  return CheckJudge(request.judge);
}

Status CheckJudge(const JudgeChoice& choice) {
  if (choice.judge == "reasoner" && choice.model.empty()) {
    return Fail(ErrorCode::kInvalidInput, "--judge reasoner needs --model",
                "name a checkpoint: a Hugging Face folder or a .gguf file (safeguard model pull "
                "gets one)");
  }
  if (choice.judge == "recorded" && choice.recorded.empty()) {
    return Fail(ErrorCode::kInvalidInput, "--judge recorded needs --recorded FILE",
                "name the JSONL file with the answers");
  }
  if (choice.judge != "recorded" && !choice.recorded.empty()) {
    return Fail(ErrorCode::kInvalidInput, "--recorded goes with --judge recorded",
                "add --judge recorded, or leave it out");
  }
  if (choice.judge != "reasoner" && (choice.instant || choice.joint)) {
    return Fail(ErrorCode::kInvalidInput, "--instant and --joint go with --judge reasoner",
                "add --judge reasoner --model PATH, or leave them out");
  }
  return {};
}

Result<std::vector<LoadedPolicy>> LoadPolicies(const JudgingRequest& request, Services& services) {
  const PolicyCatalog catalog(services.shipped_policies(), request.data_dir);
  const std::vector<std::string> names =
      request.policies.empty() ? catalog.names() : request.policies;
  if (names.empty()) {
    return Fail(ErrorCode::kNotFound, "no policies ship with this build",
                "name one with --policy FILE");
  }
  std::vector<LoadedPolicy> policies;
  for (const std::string& name : names) {
    Result<LoadedPolicy> loaded = catalog.Load(name, request.golden, Golden::kRead);
    if (!loaded) {
      return std::unexpected(loaded.error());
    }
    policies.push_back(std::move(*loaded));
  }
  return policies;
}

Result<Judging> OpenJudging(std::vector<LoadedPolicy> policies, const JudgingRequest& request,
                            Calibrations calibrations, Services& services) {
  Result<std::unique_ptr<moderation::Judge>> judge = services.OpenJudge(request.judge);
  if (!judge) {
    return std::unexpected(judge.error());
  }
  Judging judging;
  judging.judge = Calibrated(std::move(*judge), std::move(calibrations));
  judging.policies = std::move(policies);
  for (const LoadedPolicy& loaded : judging.policies) {
    auto prepared = judging.judge->Prepare(loaded.policy, loaded.golden);
    if (!prepared) {
      Error error = prepared.error();
      error.message = "the policy " + loaded.policy.id + " cannot be used: " + error.message;
      return std::unexpected(std::move(error));
    }
    judging.prepared.push_back(std::move(*prepared));
  }
  return judging;
}

}  // namespace safeguard::apps
