#include "moderation/policy_store.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/check.h"
#include "base/hash.h"
#include "moderation/policy_state.h"

namespace safeguard::moderation {
namespace {

constexpr std::size_t kAttachmentNameBytesMax = 200;
constexpr std::size_t kHashPrefixMin = 4;

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

Change ChangeOf(EventKind kind, const std::string& policy_id, const Action& action) {
  Change change;
  change.event.kind = kind;
  change.event.policy_id = policy_id;
  change.event.who = action.who;
  change.event.why = action.why;
  change.event.when = action.when;
  return change;
}

Result<VersionInfo> VersionNumber(PolicyStore& store, const std::string& policy_id, int number) {
  Result<std::vector<VersionInfo>> versions = store.Versions(policy_id);
  if (!versions) {
    return std::unexpected(versions.error());
  }
  if (number < 1 || static_cast<std::size_t>(number) > versions->size()) {
    return NoVersion(policy_id, number, versions->size());
  }
  return (*versions)[static_cast<std::size_t>(number) - 1];
}

Result<VersionInfo> After(PolicyStore& store, const Result<std::vector<StoreEvent>>& events) {
  if (!events) {
    return std::unexpected(events.error());
  }
  CHECK(events->size() == 1);
  return VersionNumber(store, events->front().policy_id, events->front().number);
}

// Those that `selector` may mean.
std::vector<VersionInfo> Matches(const std::vector<VersionInfo>& versions,
                                 std::string_view selector) {
  std::vector<VersionInfo> found;
  int number = 0;
  const char* end = selector.data() + selector.size();
  const auto [rest, error] = std::from_chars(selector.data(), end, number);
  if (error == std::errc() && rest == end && number >= 1 &&
      static_cast<std::size_t>(number) <= versions.size()) {
    return {versions[static_cast<std::size_t>(number) - 1]};
  }
  if (selector == "latest") {
    return {versions.back()};
  }
  const std::optional<VersionState> state = VersionStateFrom(selector);
  for (const VersionInfo& version : versions) {
    const bool by_hash = selector.size() >= kHashPrefixMin && version.hash.starts_with(selector);
    if (by_hash || version.state == state) {
      found.push_back(version);
    }
  }
  return found;
}

}  // namespace

Status CheckPolicyId(std::string_view id) {
  const bool characters = std::ranges::all_of(id, IsNameCharacter);
  const bool begins = !id.empty() && id[0] != '.' && id[0] != '-' && id[0] != '_';
  if (characters && begins && id.size() <= kPolicyIdBytesMax) {
    return {};
  }
  return Fail(ErrorCode::kInvalidInput,
              "\"" + std::string(id.substr(0, kPolicyIdBytesMax)) + "\" cannot be a policy's id",
              "use up to " + std::to_string(kPolicyIdBytesMax) +
                  " letters, digits, '.', '_' and '-', beginning with a letter or digit");
}

Status CheckAttachmentName(std::string_view name) {
  bool good = !name.empty() && name.size() <= kAttachmentNameBytesMax;
  bool part_begins = true;
  for (const char c : name) {
    good = good && (part_begins ? IsNameCharacter(c) && c != '.' : IsNameCharacter(c) || c == '/');
    part_begins = c == '/';
  }
  if (good && !part_begins) {
    return {};
  }
  return Fail(ErrorCode::kInvalidInput,
              "\"" + std::string(name.substr(0, kAttachmentNameBytesMax)) +
                  "\" cannot be an attachment's name",
              "use letters, digits, '.', '_' and '-', in parts joined by '/'");
}

VersionName ParseVersionName(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos) {
    return {std::string(text), ""};
  }
  return {std::string(text.substr(0, at)), std::string(text.substr(at + 1))};
}

Result<Published> PolicyStore::Publish(const std::string& policy_id, VersionBytes bytes,
                                       const Action& action) {
  Change change = ChangeOf(EventKind::kPublish, policy_id, action);
  const std::string hash = Blake2bHex(bytes.policy);
  const std::string golden_hash = bytes.golden.empty() ? "" : Blake2bHex(bytes.golden);
  change.bytes = std::move(bytes);
  const Result<std::vector<StoreEvent>> events = Apply(std::span(&change, 1));
  if (!events) {
    return std::unexpected(events.error());
  }
  const Result<std::vector<VersionInfo>> versions = Versions(policy_id);
  if (!versions) {
    return std::unexpected(versions.error());
  }
  const auto found = std::ranges::find_if(*versions, [&](const VersionInfo& version) {
    return version.hash == hash && version.golden_hash == golden_hash;
  });
  CHECK(found != versions->end());
  return Published{*found, !events->empty()};
}

Result<VersionInfo> PolicyStore::Approve(const std::string& policy_id, int number,
                                         const Action& action) {
  Change change = ChangeOf(EventKind::kApprove, policy_id, action);
  change.event.number = number;
  return After(*this, Apply(std::span(&change, 1)));
}

Result<VersionInfo> PolicyStore::Move(const std::string& policy_id, int number, VersionState to,
                                      double percent, const Action& action) {
  Change change = ChangeOf(EventKind::kMove, policy_id, action);
  change.event.number = number;
  change.event.to = to;
  change.event.canary_percent = to == VersionState::kCanary ? percent : 0;
  return After(*this, Apply(std::span(&change, 1)));
}

Result<VersionInfo> PolicyStore::Rollback(const std::string& policy_id, const Action& action) {
  const Change change = ChangeOf(EventKind::kRollback, policy_id, action);
  return After(*this, Apply(std::span(&change, 1)));
}

Status PolicyStore::RetirePolicy(const std::string& policy_id, const Action& action) {
  const Change change = ChangeOf(EventKind::kRetirePolicy, policy_id, action);
  const auto events = Apply(std::span(&change, 1));
  return events ? Status{} : std::unexpected(events.error());
}

Status PolicyStore::SetTwoPersonRule(const std::string& policy_id, std::optional<bool> on,
                                     const Action& action) {
  Change change = ChangeOf(EventKind::kTwoPersonRule, policy_id, action);
  change.event.two_person = on;
  const auto events = Apply(std::span(&change, 1));
  return events ? Status{} : std::unexpected(events.error());
}

Result<VersionInfo> PolicyStore::Find(const std::string& policy_id, std::string_view selector) {
  const Result<std::vector<VersionInfo>> versions = Versions(policy_id);
  if (!versions) {
    return std::unexpected(versions.error());
  }
  std::vector<VersionInfo> found = Matches(*versions, selector);
  if (found.empty()) {
    return Fail(ErrorCode::kNotFound,
                policy_id + " has no version " + std::string(selector.substr(0, 100)),
                "name a number from 1 to " + std::to_string(versions->size()) +
                    ", the beginning of a hash, active, canary, shadow or latest");
  }
  if (found.size() > 1) {
    std::string numbers;
    for (const VersionInfo& version : found) {
      numbers += (numbers.empty() ? "" : ", ") + std::to_string(version.number);
    }
    return Fail(ErrorCode::kInvalidInput,
                policy_id + "@" + std::string(selector) + " may be version " + numbers,
                "name it by number");
  }
  return std::move(found.front());
}

const char* ToString(VersionState state) {
  switch (state) {
    case VersionState::kDraft:
      return "draft";
    case VersionState::kShadow:
      return "shadow";
    case VersionState::kCanary:
      return "canary";
    case VersionState::kActive:
      return "active";
    case VersionState::kRetired:
      return "retired";
  }
  return "";
}

std::optional<VersionState> VersionStateFrom(std::string_view text) {
  for (const VersionState state :
       {VersionState::kDraft, VersionState::kShadow, VersionState::kCanary, VersionState::kActive,
        VersionState::kRetired}) {
    if (text == ToString(state)) {
      return state;
    }
  }
  return std::nullopt;
}

const char* ToString(EventKind kind) {
  switch (kind) {
    case EventKind::kPublish:
      return "publish";
    case EventKind::kApprove:
      return "approve";
    case EventKind::kMove:
      return "move";
    case EventKind::kRollback:
      return "rollback";
    case EventKind::kRetirePolicy:
      return "retire-policy";
    case EventKind::kTwoPersonRule:
      return "two-person-rule";
  }
  return "";
}

std::optional<EventKind> EventKindFrom(std::string_view text) {
  for (const EventKind kind :
       {EventKind::kPublish, EventKind::kApprove, EventKind::kMove, EventKind::kRollback,
        EventKind::kRetirePolicy, EventKind::kTwoPersonRule}) {
    if (text == ToString(kind)) {
      return kind;
    }
  }
  return std::nullopt;
}

}  // namespace safeguard::moderation
