#include "moderation/policy_state.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace safeguard::moderation {
namespace {

std::string Name(const VersionInfo& version) {
  return version.policy_id + "@" + std::to_string(version.number);
}

// "Ada " and "ada" are one person.
std::string Person(std::string_view who) {
  std::string person;
  for (const char c : who) {
    if (c != ' ' && c != '\t') {
      person += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return person;
}

bool NeedsSecondPerson(const PolicyState& state) {
  return state.two_person.value_or(state.store_two_person);
}

const char* LegalSteps(VersionState from) {
  switch (from) {
    case VersionState::kDraft:
      return "a draft becomes shadow, canary, active or retired";
    case VersionState::kShadow:
      return "a shadow becomes canary, active or retired";
    case VersionState::kCanary:
      return "a canary becomes active or retired, or takes another percentage";
    case VersionState::kActive:
      return "an active version is retired by promoting another, by a rollback, or with its policy";
    case VersionState::kRetired:
      return "a retired version becomes a draft again; rollback brings back the one before";
  }
  return "";
}

bool IsLegal(VersionState from, VersionState to) {
  switch (from) {
    case VersionState::kDraft:
      return to != VersionState::kDraft;
    case VersionState::kShadow:
      return to == VersionState::kCanary || to == VersionState::kActive ||
             to == VersionState::kRetired;
    case VersionState::kCanary:
      return to == VersionState::kCanary || to == VersionState::kActive ||
             to == VersionState::kRetired;
    case VersionState::kActive:
      return false;
    case VersionState::kRetired:
      return to == VersionState::kDraft;
  }
  return false;
}

VersionInfo* InState(PolicyState& state, VersionState wanted) {
  const auto found = std::ranges::find(state.versions, wanted, &VersionInfo::state);
  return found == state.versions.end() ? nullptr : &*found;
}

void Enter(VersionInfo& version, VersionState to, TimeMs when) {
  if (version.state != to) {
    version.state_since = when;
  }
  version.state = to;
  version.canary_percent = 0;
}

Result<EventEffect> Unchanged(PolicyState state, StoreEvent event) {
  return EventEffect{std::move(state), std::move(event), false};
}

Result<EventEffect> Changed(PolicyState state, StoreEvent event) {
  return EventEffect{std::move(state), std::move(event), true};
}

Result<EventEffect> Publish(PolicyState state, StoreEvent event) {
  for (const VersionInfo& version : state.versions) {
    if (version.hash == event.hash && version.golden_hash == event.golden_hash) {
      event.number = version.number;
      return Unchanged(std::move(state), std::move(event));
    }
  }
  const int number = static_cast<int>(state.versions.size()) + 1;
  if (number > kVersionsMax) {
    return Fail(ErrorCode::kLimit,
                state.policy_id + " has " + std::to_string(kVersionsMax) + " versions",
                "publish under another id");
  }
  if (event.number != 0 && event.number != number) {
    return Fail(ErrorCode::kInvalidInput,
                "the next version of " + state.policy_id + " is " + std::to_string(number) +
                    ", not " + std::to_string(event.number),
                "histories begin with version 1 and leave none out");
  }
  event.number = number;
  VersionInfo version;
  version.policy_id = state.policy_id;
  version.number = number;
  version.hash = event.hash;
  version.golden_hash = event.golden_hash;
  version.author = event.who;
  version.note = event.why;
  version.created = event.when;
  version.state_since = event.when;
  state.versions.push_back(std::move(version));
  return Changed(std::move(state), std::move(event));
}

Result<VersionInfo*> Version(PolicyState& state, int number) {
  if (number < 1 || static_cast<std::size_t>(number) > state.versions.size()) {
    return NoVersion(state.policy_id, number, state.versions.size());
  }
  return &state.versions[static_cast<std::size_t>(number) - 1];
}

Result<EventEffect> Approve(PolicyState state, StoreEvent event) {
  const Result<VersionInfo*> version = Version(state, event.number);
  if (!version) {
    return std::unexpected(version.error());
  }
  if ((*version)->state == VersionState::kRetired) {
    return Fail(ErrorCode::kInvalidInput, Name(**version) + " is retired",
                "make it a draft again first");
  }
  if (Person((*version)->author) == Person(event.who)) {
    return Fail(ErrorCode::kInvalidInput,
                event.who + " is the author of " + Name(**version) + " and cannot approve it",
                "somebody else must");
  }
  (*version)->approved_by = event.who;
  (*version)->approved = event.when;
  return Changed(std::move(state), std::move(event));
}

Status CheckMove(PolicyState& state, const VersionInfo& version, const StoreEvent& event) {
  if (!IsLegal(version.state, event.to)) {
    return Fail(ErrorCode::kInvalidInput,
                Name(version) + " is " + ToString(version.state) + " and cannot become " +
                    ToString(event.to),
                LegalSteps(version.state));
  }
  const bool answers = event.to == VersionState::kCanary || event.to == VersionState::kActive;
  if (answers && NeedsSecondPerson(state) && version.approved_by.empty()) {
    return Fail(ErrorCode::kInvalidInput,
                Name(version) + " needs the approval of somebody other than " + version.author +
                    " before it may answer",
                "safeguard policy approve " + Name(version));
  }
  const VersionInfo* canary = InState(state, VersionState::kCanary);
  if (event.to == VersionState::kCanary && canary != nullptr && canary->number != version.number) {
    return Fail(ErrorCode::kInvalidInput, Name(*canary) + " is the canary already",
                "promote it or retire it first");
  }
  return {};
}

Result<EventEffect> Move(PolicyState state, StoreEvent event) {
  const Result<VersionInfo*> found = Version(state, event.number);
  if (!found) {
    return std::unexpected(found.error());
  }
  VersionInfo& version = **found;
  const Status legal = CheckMove(state, version, event);
  if (!legal) {
    return std::unexpected(legal.error());
  }
  event.from = version.state;
  if (event.to == VersionState::kActive) {
    if (VersionInfo* before = InState(state, VersionState::kActive)) {
      Enter(*before, VersionState::kRetired, event.when);
    }
    state.activations.push_back(version.number);
  }
  if (event.to == VersionState::kDraft) {
    version.approved_by.clear();
    version.approved = 0;
  }
  Enter(version, event.to, event.when);
  if (event.to == VersionState::kCanary) {
    version.canary_percent = event.canary_percent;
  }
  return Changed(std::move(state), std::move(event));
}

Result<EventEffect> Rollback(PolicyState state, StoreEvent event) {
  VersionInfo* active = InState(state, VersionState::kActive);
  const std::size_t needed = active == nullptr ? 1 : 2;
  if (state.activations.size() < needed) {
    return Fail(ErrorCode::kInvalidInput,
                active == nullptr
                    ? "no version of " + state.policy_id + " was ever active"
                    : "no version of " + state.policy_id + " was active before " + Name(*active),
                "promote the version that should answer");
  }
  if (active != nullptr) {
    Enter(*active, VersionState::kRetired, event.when);
    state.activations.pop_back();
  }
  const int number = state.activations.back();
  if (event.number != 0 && event.number != number) {
    return Fail(ErrorCode::kInvalidInput, "a rollback of " + state.policy_id +
                                              " leads to version " + std::to_string(number) +
                                              ", not " + std::to_string(event.number));
  }
  VersionInfo& target = state.versions[static_cast<std::size_t>(number) - 1];
  event.number = number;
  event.from = target.state;
  event.to = VersionState::kActive;
  Enter(target, VersionState::kActive, event.when);
  return Changed(std::move(state), std::move(event));
}

Result<EventEffect> RetirePolicy(PolicyState state, StoreEvent event) {
  bool any = false;
  for (VersionInfo& version : state.versions) {
    any = any || version.state != VersionState::kRetired;
    Enter(version, VersionState::kRetired, event.when);
  }
  if (!any) {
    return Fail(ErrorCode::kInvalidInput, "every version of " + state.policy_id + " is retired",
                "there is nothing to retire");
  }
  event.to = VersionState::kRetired;
  return Changed(std::move(state), std::move(event));
}

Status CheckFields(const StoreEvent& event) {
  const bool of_store = event.kind == EventKind::kTwoPersonRule && event.policy_id.empty();
  if (!of_store) {
    const Status id = CheckPolicyId(event.policy_id);
    if (!id) {
      return id;
    }
  }
  if (Person(event.who).empty()) {
    return Fail(ErrorCode::kInvalidInput, "nobody is named who does this",
                "say who with --as NAME");
  }
  if (event.who.size() > kActionBytesMax || event.why.size() > kActionBytesMax) {
    return Fail(ErrorCode::kLimit,
                "a name or note is longer than " + std::to_string(kActionBytesMax) + " bytes",
                "make it shorter");
  }
  if (!(event.canary_percent >= 0 && event.canary_percent <= 100)) {
    return Fail(ErrorCode::kInvalidInput, "a percentage is from 0 to 100");
  }
  return {};
}

}  // namespace

Result<EventEffect> ApplyEvent(PolicyState state, StoreEvent event) {
  const Status fields = CheckFields(event);
  if (!fields) {
    return std::unexpected(fields.error());
  }
  if (state.versions.empty() && event.kind != EventKind::kPublish &&
      event.kind != EventKind::kTwoPersonRule) {
    return NoPolicy(event.policy_id);
  }
  switch (event.kind) {
    case EventKind::kPublish:
      return Publish(std::move(state), std::move(event));
    case EventKind::kApprove:
      return Approve(std::move(state), std::move(event));
    case EventKind::kMove:
      return Move(std::move(state), std::move(event));
    case EventKind::kRollback:
      return Rollback(std::move(state), std::move(event));
    case EventKind::kRetirePolicy:
      return RetirePolicy(std::move(state), std::move(event));
    case EventKind::kTwoPersonRule:
      break;
  }
  if (event.policy_id.empty()) {
    state.store_two_person = event.two_person.value_or(false);
  } else {
    state.two_person = event.two_person;
  }
  return Changed(std::move(state), std::move(event));
}

}  // namespace safeguard::moderation
