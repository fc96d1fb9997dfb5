#include "apps/commands/job_routes.h"

#include <filesystem>

#include "apps/receipt/judge_setup.h"

namespace safeguard::apps {
namespace {

std::string AbsolutePath(const std::string& path) {
  std::error_code failed;
  const std::filesystem::path absolute = std::filesystem::absolute(path, failed);
  return failed ? path : absolute.lexically_normal().string();
}

}  // namespace

Status JobRoutes::Open(const std::string& path) {
  const Result<Opened*> opened = OpenFile(AbsolutePath(path));
  if (!opened) {
    return std::unexpected(opened.error());
  }
  const std::string& name = (*opened)->route.name;
  if (!by_name_.emplace(name, *opened).second) {
    return Fail(ErrorCode::kInvalidInput, "two routes are called " + name,
                "give each its own name with `route:`");
  }
  return {};
}

Result<JobRoutes::Opened*> JobRoutes::OpenFile(const std::string& path) {
  RouteRequest request;
  request.path = path;
  request.data_dir = data_dir_;
  request.calibration = calibration_;
  request.threads = threads_;
  request.bulk = true;
  request.finishing = true;
  Result<LoadedRoute> loaded = LoadRoute(request, services_);
  if (!loaded) {
    return std::unexpected(loaded.error());
  }
  Result<OpenedRoute> route = OpenRoute(std::move(*loaded), request, services_, console_);
  if (!route) {
    return std::unexpected(route.error());
  }
  opened_.push_back({std::move(*route), RouteSetup(path, services_, true), {}, nullptr});
  Opened& opened = opened_.back();
  Judging& judging = opened.route.judging;
  for (std::size_t p = 0; p < judging.policies.size(); ++p) {
    opened.own[judging.policies[p].policy.hash] = judging.prepared[p];
  }
  opened.others = std::make_unique<JobPolicies>(services_, data_dir_, *judging.judge, nullptr);
  by_file_[path] = &opened;
  return &opened;
}

// Under a policy that is still the route's, its golden set serves too; under any other text, the
// one that the job brings or the store keeps.
moderation::RouteFinish JobRoutes::FinishBy(Opened& opened) {
  return {opened.route.cascade,
          [&opened](const moderation::JudgedPolicy& wanted)
              -> Result<std::shared_ptr<const moderation::PreparedPolicy>> {
            const auto own = opened.own.find(wanted.policy.hash);
            if (own != opened.own.end()) {
              return own->second;
            }
            return opened.others->Find(wanted);
          },
          opened.setup};
}

Result<moderation::RouteFinish> JobRoutes::Find(const moderation::Judgement& judgement) {
  if (const auto at = by_file_.find(judgement.route_file);
      at != by_file_.end() && at->second->route.name == judgement.route) {
    return FinishBy(*at->second);
  }
  if (const auto at = by_name_.find(judgement.route); at != by_name_.end()) {
    return FinishBy(*at->second);
  }
  if (judgement.route_file.empty()) {
    return Fail(ErrorCode::kNotFound, "it names no file of its route", "give it with --route FILE");
  }
  const Result<Opened*> opened = by_file_.contains(judgement.route_file)
                                     ? by_file_[judgement.route_file]
                                     : OpenFile(judgement.route_file);
  if (!opened) {
    return std::unexpected(opened.error());
  }
  if ((*opened)->route.name != judgement.route) {
    return Fail(ErrorCode::kNotFound,
                judgement.route_file + " now holds the route " + (*opened)->route.name,
                "give the file of the route " + judgement.route + " with --route FILE");
  }
  return FinishBy(**opened);
}

std::vector<JobRoutes::Recall> JobRoutes::Recalls() {
  std::vector<Recall> recalls;
  for (Opened& opened : opened_) {
    moderation::ScreenAudit& audit = opened.route.cascade->audit();
    for (const std::string& policy : audit.Policies()) {
      const moderation::RecallEstimate estimate = audit.Trailing(policy);
      if (estimate.recall) {
        recalls.push_back({opened.route.name, policy, estimate, audit.Alarmed(policy)});
      }
    }
  }
  return recalls;
}

}  // namespace safeguard::apps
