#include "engine/runtime/tenant_shares.h"

#include <algorithm>

#include "base/check.h"

namespace safeguard::engine {
namespace {

constexpr std::size_t kIdleTenantsMax = 4096;  // whose debts are remembered

}  // namespace

const double& TenantShares::Arrive(const std::string& tenant) {
  const auto [it, added] = tenants_.try_emplace(tenant);
  if (added) {
    const auto weight = weights_.find(tenant);
    it->second.weight = weight == weights_.end() ? 1 : weight->second;
  }
  if (it->second.requests == 0) {
    it->second.level = std::max(it->second.level, floor_);
  }
  ++it->second.requests;
  return it->second.level;
}

void TenantShares::Leave(const std::string& tenant) {
  Tenant& left = tenants_.at(tenant);
  CHECK(left.requests > 0);
  if (--left.requests == 0 && tenants_.size() > kIdleTenantsMax) {
    Forget();
  }
}

// First those who would start at the floor anyway.
void TenantShares::Forget() {
  std::erase_if(tenants_, [this](const auto& entry) {
    return entry.second.requests == 0 && entry.second.level <= floor_;
  });
  if (tenants_.size() > kIdleTenantsMax) {
    std::erase_if(tenants_, [](const auto& entry) { return entry.second.requests == 0; });
  }
}

void TenantShares::Charge(const std::string& tenant, std::size_t tokens) {
  Tenant& charged = tenants_.at(tenant);
  floor_ = std::max(floor_, charged.level);
  charged.level += static_cast<double>(tokens) / charged.weight;
}

void TenantShares::GiveBack(const std::string& tenant, std::size_t tokens) {
  Tenant& charged = tenants_.at(tenant);
  charged.level -= static_cast<double>(tokens) / charged.weight;
}

}  // namespace safeguard::engine
