#include "apps/commands/routed_judging.h"

#include <algorithm>

#include "apps/input/data_folder.h"
#include "base/check.h"
#include "storage/stores.h"

namespace safeguard::apps {
namespace {

using moderation::Channel;
using moderation::Content;
using moderation::LiveVersion;
using moderation::PolicySnapshot;
using moderation::Verdict;

std::pair<std::string, std::string> NameOf(const moderation::Policy& policy) {
  return {policy.id, policy.version};
}

}  // namespace

std::vector<std::string> KeysOf(std::span<const Content> contents) {
  std::vector<std::string> keys;
  keys.reserve(contents.size());
  for (const Content& content : contents) {
    keys.push_back(moderation::ContentHash(content));
  }
  return keys;
}

Result<std::unique_ptr<RoutedJudging>> RoutedJudging::Open(Judging judging,
                                                           const JudgingRequest& request) {
  const bool routed = std::ranges::any_of(judging.policies, &LoadedPolicy::routed);
  std::unique_ptr<RoutedJudging> opened(new RoutedJudging(std::move(judging), request.golden));
  if (!routed) {
    return opened;
  }
  Result<std::unique_ptr<moderation::PolicyStore>> store =
      storage::OpenPolicyStore(NamedDataFolder(request.data_dir), {});
  if (!store) {
    return std::unexpected(store.error());
  }
  opened->store_ = std::move(*store);
  opened->live_ = std::make_unique<moderation::LivePolicies>(*opened->store_);
  for (std::size_t p = 0; p < opened->judging_.policies.size(); ++p) {
    const LoadedPolicy& loaded = opened->judging_.policies[p];
    if (loaded.routed) {
      opened->prepared_[NameOf(loaded.policy)] = opened->judging_.prepared[p];
    }
  }
  return opened;
}

Result<RoutedJudging::Prepared> RoutedJudging::PreparedOf(const LiveVersion& version) {
  Prepared& prepared = prepared_[NameOf(version.policy)];
  if (prepared != nullptr) {
    return prepared;
  }
  const Result<LoadedPolicy> loaded = LoadStored(version, golden_, Golden::kRead);
  if (!loaded) {
    return std::unexpected(loaded.error());
  }
  Result<Prepared> made = judging_.judge->Prepare(loaded->policy, loaded->golden);
  if (!made) {
    Error error = made.error();
    error.message = "the policy " + version.policy.id + "@" + version.policy.version +
                    " cannot be used: " + error.message;
    return std::unexpected(std::move(error));
  }
  prepared = *made;
  return made;
}

// Versions that neither answer nor shadow any more are not kept ready.
void RoutedJudging::Forget(const PolicySnapshot& snapshot) {
  if (snapshot.generation() == generation_) {
    return;
  }
  generation_ = snapshot.generation();
  std::erase_if(prepared_, [&](const auto& item) {
    const PolicySnapshot::Entry* entry = snapshot.Find(item.first.first);
    const auto is_it = [&](const std::shared_ptr<const LiveVersion>& version) {
      return version != nullptr && version->policy.version == item.first.second;
    };
    return entry == nullptr || !(is_it(entry->active) || is_it(entry->canary) ||
                                 std::ranges::any_of(entry->shadows, is_it));
  });
}

Result<RoutedJudging::Route> RoutedJudging::RouteOf(const PolicySnapshot* snapshot,
                                                    const std::string& key) {
  Route route;
  for (std::size_t p = 0; p < judging_.policies.size(); ++p) {
    const LoadedPolicy& loaded = judging_.policies[p];
    if (!loaded.routed) {
      route.policies.push_back(judging_.prepared[p]);
      route.channels.push_back(Channel::kDirect);
      continue;
    }
    const Result<moderation::Resolved> resolved = snapshot->Resolve(loaded.policy.id, key);
    if (!resolved) {
      return std::unexpected(resolved.error());
    }
    const Result<Prepared> prepared = PreparedOf(*resolved->version);
    if (!prepared) {
      return std::unexpected(prepared.error());
    }
    route.policies.push_back(*prepared);
    route.channels.push_back(resolved->channel);
  }
  return route;
}

Result<Judged> RoutedJudging::Decide(std::span<const Content> contents,
                                     std::span<const std::string> keys, bool shadows) {
  CHECK(keys.size() == contents.size());
  std::shared_ptr<const PolicySnapshot> snapshot;
  if (live_ != nullptr) {
    Result<std::shared_ptr<const PolicySnapshot>> current = live_->Current();
    if (!current) {
      return std::unexpected(current.error());
    }
    snapshot = std::move(*current);
    Forget(*snapshot);
  }
  // Contents that the same versions judge go to the judge together.
  std::map<std::vector<Prepared>, std::vector<std::size_t>> groups;
  const std::size_t policies = judging_.policies.size();
  Judged judged;
  judged.verdicts.resize(contents.size() * policies);
  judged.channels.resize(contents.size() * policies);
  for (std::size_t c = 0; c < contents.size(); ++c) {
    Result<Route> route = RouteOf(snapshot.get(), keys[c]);
    if (!route) {
      return std::unexpected(route.error());
    }
    std::ranges::copy(route->channels,
                      judged.channels.begin() + static_cast<std::ptrdiff_t>(c * policies));
    groups[std::move(route->policies)].push_back(c);
  }
  for (const auto& [versions, members] : groups) {
    std::vector<Content> some;
    for (const std::size_t c : members) {
      some.push_back(contents[c]);
    }
    std::vector<Verdict> verdicts = judging_.judge->Decide(versions, some);
    CHECK(verdicts.size() == some.size() * policies);
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
      judged.verdicts[members[i / policies] * policies + i % policies] = std::move(verdicts[i]);
    }
  }
  if (shadows && snapshot != nullptr) {
    const Status done = JudgeShadows(*snapshot, contents, judged);
    if (!done) {
      return std::unexpected(done.error());
    }
  }
  return judged;
}

Status RoutedJudging::JudgeShadows(const PolicySnapshot& snapshot,
                                   std::span<const Content> contents, Judged& judged) {
  for (const LoadedPolicy& loaded : judging_.policies) {
    const PolicySnapshot::Entry* entry = loaded.routed ? snapshot.Find(loaded.policy.id) : nullptr;
    if (entry == nullptr) {
      continue;
    }
    for (const std::shared_ptr<const LiveVersion>& shadow : entry->shadows) {
      const Result<Prepared> prepared = PreparedOf(*shadow);
      if (!prepared) {
        return std::unexpected(prepared.error());
      }
      std::vector<Verdict> verdicts = judging_.judge->Decide(std::span(&*prepared, 1), contents);
      CHECK(verdicts.size() == contents.size());
      for (std::size_t c = 0; c < contents.size(); ++c) {
        judged.shadows.push_back({c, std::move(verdicts[c])});
      }
    }
  }
  return {};
}

}  // namespace safeguard::apps
