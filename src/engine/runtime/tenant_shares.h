// How much of the engine each tenant has had. After the virtual token counter of Sheng et al. 2024,
// "Fairness in serving large language models", with start-time fair queuing's floor for tenants
// that come back (Goyal et al. 1996).
//
// A request is charged when it is given a place: the tokens that it will have computed and those
// that it may answer; what it did not use is given back when it ends. Who has had least, for its
// weight, is next. So of two tenants that always have something waiting, none gets ahead of the
// other by more than the charges of what runs at once and of one request more.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>

namespace safeguard::engine {

class TenantShares {
 public:
  explicit TenantShares(std::map<std::string, double> weights) : weights_(std::move(weights)) {}

  // A request of the tenant came, or has ended. One with nothing here starts at the floor: it
  // neither saved up nor owes for the time when nobody waited.
  // Gives the tenant's level: tokens had, divided by the weight. It stays valid until Leave.
  const double& Arrive(const std::string& tenant);
  void Leave(const std::string& tenant);
  // It has had `tokens` more, or fewer.
  void Charge(const std::string& tenant, std::size_t tokens);
  void GiveBack(const std::string& tenant, std::size_t tokens);

  [[nodiscard]] std::size_t size() const { return tenants_.size(); }

 private:
  struct Tenant {
    double level = 0;
    double weight = 1;
    std::size_t requests = 0;
  };
  void Forget();

  std::map<std::string, double> weights_;
  std::map<std::string, Tenant> tenants_;
  double floor_ = 0;  // the level of whoever was charged last
};

}  // namespace safeguard::engine
