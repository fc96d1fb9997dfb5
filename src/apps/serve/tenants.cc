#include "apps/serve/tenants.h"

#include <utility>
#include <vector>

#include "apps/serve/dataset_reader.h"
#include "apps/serve/shared_judge.h"
#include "base/utc_time.h"

namespace safeguard::apps {

std::string EvalFolder(const std::string& data_folder) {
  return data_folder + "/evals";
}

std::string TenantFolder(const std::string& data_folder, const std::string& tenant) {
  return data_folder + "/tenants/" + tenant;
}

Tenants::Tenants(TenantsParts parts) : parts_(std::move(parts)) {}

Result<std::unique_ptr<Tenants::Tenant>> Tenants::OpenOne(const std::string& name) const {
  Result<Kept> kept = OpenKept(TenantFolder(parts_.folder, name));
  if (!kept) {
    Error error = kept.error();
    error.message = "the tenant " + name + " cannot be opened: " + error.message;
    return std::unexpected(std::move(error));
  }
  auto tenant = std::make_unique<Tenant>();
  if (parts_.sender_of) {
    auto sender = parts_.sender_of(kept->folder);
    if (!sender) {
      return std::unexpected(sender.error());
    }
    tenant->sender = std::move(*sender);
  }
  tenant->kept = std::move(*kept);
  tenant->judge = parts_.judge_of(std::make_unique<SharedJudge>(parts_.judge), tenant->kept);
  tenant->shelf = std::make_unique<http::PolicyShelf>(
      *tenant->judge, parts_.shipped, tenant->kept.policies.get(), ReadGolden, name);
  if (parts_.shelf != nullptr) {
    tenant->shelf->FallBackOn(*parts_.shelf);
  }
  tenant->judging = std::make_unique<http::Judging>(
      http::JudgingParts{*tenant->judge, *tenant->shelf, tenant->kept.verdicts.get(),
                         parts_.metrics, UtcNow},
      parts_.judging);
  if (parts_.slow_judge != nullptr) {
    tenant->slow_shelf = std::make_unique<http::PolicyShelf>(
        *parts_.slow_judge, parts_.shipped, tenant->kept.policies.get(), ReadGolden, name);
    tenant->slow_log = parts_.slow_log_of(tenant->kept);
    if (parts_.slow_shelf != nullptr) {
      tenant->slow_shelf->FallBackOn(*parts_.slow_shelf);
    }
    tenant->slow_judging = std::make_unique<http::Judging>(
        http::JudgingParts{*parts_.slow_judge, *tenant->slow_shelf, tenant->slow_log.get(),
                           parts_.metrics, UtcNow},
        parts_.judging);
  }
  tenant->parts = std::make_unique<http::TenantParts>(http::TenantParts{
      *tenant->judging, *tenant->shelf, tenant->kept.policies.get(), tenant->kept.verdicts.get(),
      tenant->kept.queue.get(), tenant->kept.reviews.get(), tenant->kept.files.get(),
      tenant->kept.batches.get(), DatasetReaderIn(EvalFolder(tenant->kept.folder)),
      tenant->slow_judging.get(), SignerOf(tenant->kept)});
  return tenant;
}

Status Tenants::Open(const std::set<std::string>& names,
                     const std::function<void(Tenant&)>& opened) {
  Status status;
  for (const std::string& name : names) {
    {
      const std::lock_guard lock(mutex_);
      if (tenants_.contains(name)) {
        continue;
      }
      if (parts_.folder.empty() || tenants_.size() >= kTenantsMax) {
        status =
            Fail(ErrorCode::kLimit, "the tenant " + name + " is one more than a server can have",
                 "start another server for it, with a data folder of its own");
        continue;
      }
    }
    Result<std::unique_ptr<Tenant>> tenant = OpenOne(name);
    if (!tenant) {
      status = status ? std::unexpected(tenant.error()) : status;
      continue;
    }
    opened(**tenant);
    const std::lock_guard lock(mutex_);
    tenants_[name] = std::move(*tenant);
  }
  return status;
}

const http::TenantParts* Tenants::Find(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = tenants_.find(name);
  return found == tenants_.end() ? nullptr : found->second->parts.get();
}

std::map<std::string, moderation::JobQueue*> Tenants::Queues() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, moderation::JobQueue*> queues;
  for (const auto& [name, tenant] : tenants_) {
    queues[name] = tenant->kept.queue.get();
  }
  return queues;
}

void Tenants::SetQueueMax(std::size_t contents) {
  const std::lock_guard lock(mutex_);
  parts_.judging.queue_contents_max = contents;
  for (const auto& [name, tenant] : tenants_) {
    tenant->judging->SetQueueMax(contents);
  }
}

void Tenants::Stop() {
  std::vector<http::Judging*> all;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, tenant] : tenants_) {
      all.push_back(tenant->judging.get());
      if (tenant->slow_judging != nullptr) {
        all.push_back(tenant->slow_judging.get());
      }
    }
  }
  for (http::Judging* judging : all) {  // without the lock: what is answered may look for a tenant
    judging->Stop();
  }
}

}  // namespace safeguard::apps
