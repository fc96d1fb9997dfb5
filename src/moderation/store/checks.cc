#include <algorithm>

#include "base/hash.h"
#include "moderation/policy.h"
#include "moderation/policy_state.h"

namespace safeguard::moderation {

Status CheckChanges(std::span<const Change> changes) {
  if (changes.empty()) {
    return Fail(ErrorCode::kInvalidInput, "there is nothing to change");
  }
  const std::string& policy_id = changes.front().event.policy_id;
  for (const Change& change : changes) {
    if (change.event.policy_id != policy_id) {
      return Fail(ErrorCode::kInvalidInput, "one change speaks of two policies",
                  "change one after the other");
    }
    if (change.event.kind != EventKind::kPublish) {
      continue;
    }
    const Status id = CheckPolicyId(policy_id);
    if (!id) {
      return id;
    }
    const Result<Policy> policy = ReadPolicy(change.bytes.policy, policy_id);
    if (!policy) {
      return std::unexpected(policy.error());
    }
    if (change.bytes.golden.size() > kGoldenBytesMax) {
      return Fail(ErrorCode::kLimit,
                  "a golden set has at most " + std::to_string(kGoldenBytesMax >> 20) + " MiB",
                  "keep the cases that tell something");
    }
  }
  return {};
}

StoreEvent WithHashes(const Change& change) {
  StoreEvent event = change.event;
  if (event.kind == EventKind::kPublish) {
    event.hash = Blake2bHex(change.bytes.policy);
    event.golden_hash = change.bytes.golden.empty() ? "" : Blake2bHex(change.bytes.golden);
  }
  return event;
}

Status CheckAttachment(std::string_view name, std::string_view bytes) {
  const Status good = CheckAttachmentName(name);
  if (!good) {
    return good;
  }
  if (name == kGoldenAttachment) {
    return Fail(ErrorCode::kInvalidInput, "the golden set of a version never changes",
                "publish the policy with the new one: that is a new version");
  }
  if (bytes.size() > kAttachmentBytesMax) {
    return Fail(ErrorCode::kLimit,
                "an attachment has at most " + std::to_string(kAttachmentBytesMax >> 20) + " MiB");
  }
  return {};
}

bool IsLive(const VersionInfo& version) {
  return version.state == VersionState::kShadow || version.state == VersionState::kCanary ||
         version.state == VersionState::kActive;
}

std::unexpected<Error> NoPolicy(const std::string& policy_id) {
  return Fail(ErrorCode::kNotFound,
              "no policy in the store is called " + policy_id.substr(0, kPolicyIdBytesMax),
              "safeguard policy list shows them; safeguard policy publish adds one");
}

std::unexpected<Error> NoVersion(const std::string& policy_id, int number, std::size_t versions) {
  return Fail(ErrorCode::kNotFound, policy_id + " has no version " + std::to_string(number),
              versions == 0 ? "publish one first" : "it has 1 to " + std::to_string(versions));
}

std::unexpected<Error> NoAttachment(const std::string& policy_id, int number,
                                    const std::string& name) {
  return Fail(ErrorCode::kNotFound,
              policy_id + "@" + std::to_string(number) + " has no attachment " + name);
}

}  // namespace safeguard::moderation
