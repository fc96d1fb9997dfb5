#include <algorithm>
#include <iterator>
#include <map>
#include <mutex>
#include <utility>

#include "moderation/memory_store.h"
#include "moderation/policy_state.h"

namespace safeguard::moderation {
namespace {

class MemoryStore final : public PolicyStore {
 public:
  Result<std::vector<StoreEvent>> Apply(std::span<const Change> changes) override {
    const Status checked = CheckChanges(changes);
    if (!checked) {
      return std::unexpected(checked.error());
    }
    const std::lock_guard lock(mutex_);
    const std::string& policy_id = changes.front().event.policy_id;
    PolicyState state = StateOf(policy_id);
    std::vector<StoreEvent> events;
    std::map<std::string, std::string> blobs;
    for (const Change& change : changes) {
      Result<EventEffect> effect = ApplyEvent(std::move(state), WithHashes(change));
      if (!effect) {
        return std::unexpected(effect.error());
      }
      state = std::move(effect->state);
      if (effect->changed) {
        blobs[effect->event.hash] = change.bytes.policy;
        blobs[effect->event.golden_hash] = change.bytes.golden;
        events.push_back(std::move(effect->event));
      }
    }
    for (StoreEvent& event : events) {
      event.sequence = static_cast<std::int64_t>(history_.size()) + 1;
      history_.push_back(event);
    }
    blobs.erase("");
    blobs_.merge(blobs);
    two_person_ = state.store_two_person;
    if (!policy_id.empty()) {
      policies_[policy_id] = std::move(state);
    }
    generation_ += events.empty() ? 0 : 1;
    return events;
  }

  Result<std::vector<std::string>> PolicyIds() override {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> ids;
    for (const auto& [id, state] : policies_) {
      if (!state.versions.empty()) {
        ids.push_back(id);
      }
    }
    return ids;
  }

  Result<std::vector<VersionInfo>> Versions(const std::string& policy_id) override {
    const std::lock_guard lock(mutex_);
    PolicyState state = StateOf(policy_id);
    if (state.versions.empty()) {
      return NoPolicy(policy_id);
    }
    return std::move(state.versions);
  }

  Result<VersionBytes> Read(const std::string& policy_id, int number) override {
    const std::lock_guard lock(mutex_);
    const Result<VersionInfo> version = VersionOf(policy_id, number);
    if (!version) {
      return std::unexpected(version.error());
    }
    VersionBytes bytes{blobs_.at(version->hash), ""};
    if (!version->golden_hash.empty()) {
      bytes.golden = blobs_.at(version->golden_hash);
    }
    return bytes;
  }

  Result<std::vector<StoreEvent>> History(const std::string& policy_id, std::int64_t after,
                                          std::size_t limit) override {
    const std::lock_guard lock(mutex_);
    std::vector<StoreEvent> events;
    for (const StoreEvent& event : history_) {
      if (event.sequence > after && events.size() < limit &&
          (policy_id.empty() || event.policy_id == policy_id)) {
        events.push_back(event);
      }
    }
    return events;
  }

  Result<bool> TwoPersonRule(const std::string& policy_id) override {
    const std::lock_guard lock(mutex_);
    return StateOf(policy_id).two_person.value_or(two_person_);
  }

  Result<std::uint64_t> Generation() override {
    const std::lock_guard lock(mutex_);
    return generation_;
  }

  Result<LiveVersions> Live() override {
    const std::lock_guard lock(mutex_);
    LiveVersions live{generation_, "memory", {}};
    for (const auto& [id, state] : policies_) {
      std::ranges::copy_if(state.versions, std::back_inserter(live.versions), IsLive);
    }
    return live;
  }

  Status PutAttachment(const std::string& policy_id, int number, const std::string& name,
                       std::string_view bytes) override {
    const Status checked = CheckAttachment(name, bytes);
    if (!checked) {
      return checked;
    }
    const std::lock_guard lock(mutex_);
    const Result<VersionInfo> version = VersionOf(policy_id, number);
    if (!version) {
      return std::unexpected(version.error());
    }
    attachments_[{policy_id, number}][name] = bytes;
    return {};
  }

  Result<std::string> GetAttachment(const std::string& policy_id, int number,
                                    const std::string& name) override {
    const std::lock_guard lock(mutex_);
    const Result<VersionInfo> version = VersionOf(policy_id, number);
    if (!version) {
      return std::unexpected(version.error());
    }
    if (name == kGoldenAttachment && !version->golden_hash.empty()) {
      return blobs_.at(version->golden_hash);
    }
    const auto& kept = attachments_[{policy_id, number}];
    const auto found = kept.find(name);
    if (found == kept.end()) {
      return NoAttachment(policy_id, number, name);
    }
    return found->second;
  }

  Result<std::vector<std::string>> ListAttachments(const std::string& policy_id,
                                                   int number) override {
    const std::lock_guard lock(mutex_);
    const Result<VersionInfo> version = VersionOf(policy_id, number);
    if (!version) {
      return std::unexpected(version.error());
    }
    std::vector<std::string> names;
    for (const auto& [name, bytes] : attachments_[{policy_id, number}]) {
      names.push_back(name);
    }
    if (!version->golden_hash.empty()) {
      names.emplace_back(kGoldenAttachment);
    }
    std::ranges::sort(names);
    return names;
  }

 private:
  PolicyState StateOf(const std::string& policy_id) {
    const auto found = policies_.find(policy_id);
    PolicyState state = found == policies_.end() ? PolicyState{} : found->second;
    state.policy_id = policy_id;
    state.store_two_person = two_person_;
    return state;
  }

  Result<VersionInfo> VersionOf(const std::string& policy_id, int number) {
    const PolicyState state = StateOf(policy_id);
    if (state.versions.empty()) {
      return NoPolicy(policy_id);
    }
    if (number < 1 || static_cast<std::size_t>(number) > state.versions.size()) {
      return NoVersion(policy_id, number, state.versions.size());
    }
    return state.versions[static_cast<std::size_t>(number) - 1];
  }

  std::mutex mutex_;
  std::map<std::string, PolicyState> policies_;
  std::map<std::string, std::string> blobs_;  // by hash
  std::map<std::pair<std::string, int>, std::map<std::string, std::string>> attachments_;
  std::vector<StoreEvent> history_;
  std::uint64_t generation_ = 0;
  bool two_person_ = false;
};

}  // namespace

std::unique_ptr<PolicyStore> MemoryPolicyStore() {
  return std::make_unique<MemoryStore>();
}

}  // namespace safeguard::moderation
