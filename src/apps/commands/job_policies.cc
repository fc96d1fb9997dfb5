#include "apps/commands/job_policies.h"

#include <vector>

#include "apps/input/policy_catalog.h"

namespace safeguard::apps {
namespace {

constexpr std::size_t kKeptMax = 512;

}  // namespace

Result<JobPolicies::Prepared> JobPolicies::Find(const moderation::JudgedPolicy& wanted) {
  const std::string name =
      wanted.policy.id + "@" + wanted.policy.version + " " + wanted.policy.hash;
  if (const auto at = prepared_.find(name); at != prepared_.end()) {
    return at->second;
  }
  Result<Prepared> prepared = Prepare(wanted);
  if (prepared) {
    if (prepared_.size() >= kKeptMax) {
      prepared_.clear();
    }
    prepared_[name] = *prepared;
  }
  return prepared;
}

Result<JobPolicies::Prepared> JobPolicies::Prepare(const moderation::JudgedPolicy& wanted) const {
  moderation::Policy policy;
  std::vector<moderation::GoldenCase> golden;
  if (wanted.text.empty()) {
    const PolicyCatalog catalog(services_.shipped_policies(), data_dir_);
    Result<LoadedPolicy> loaded =
        catalog.Load(wanted.policy.id + "@" + wanted.policy.version, "", Golden::kRead);
    if (!loaded) {
      return std::unexpected(loaded.error());
    }
    policy = std::move(loaded->policy);
    golden = std::move(loaded->golden);
  } else {
    Result<moderation::Policy> read = moderation::ReadPolicy(wanted.text, wanted.policy.id);
    if (!read) {
      return std::unexpected(read.error());
    }
    policy = std::move(*read);
  }
  if (policy.Reference().hash != wanted.policy.hash) {
    return Fail(ErrorCode::kCorruptFile, "its text is not the one of the provisional verdict",
                "submit the content again");
  }
  return judge_.Prepare(policy, golden);
}

}  // namespace safeguard::apps
