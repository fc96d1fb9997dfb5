// In what part each version of the route's policies judges: what the record of a verdict that comes
// later says of it.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "moderation/live_policies.h"
#include "moderation/policy_store.h"
#include "moderation/verdict_log.h"

namespace safeguard::apps {

// Thread-safe.
class PolicyChannels {
 public:
  // `followed`: ids of the policies that follow the store, active version, canary and all.
  PolicyChannels(std::unique_ptr<moderation::PolicyStore> store, std::set<std::string> followed);

  // kDirect for a policy that follows nothing. A version that has left its part since it judged is
  // told as it was seen last; while the store cannot be read all are.
  moderation::Channel Of(const moderation::PolicyReference& policy);

 private:
  void Look();

  std::unique_ptr<moderation::PolicyStore> store_;
  moderation::LivePolicies live_;
  std::set<std::string> followed_;
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, moderation::Channel> seen_;  // by id and version
};

}  // namespace safeguard::apps
