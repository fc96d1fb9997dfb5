// PolicyStore: policies as living things. Versions never change; what changes is their state, by
// events that are kept for ever. Implemented in storage/ on a database, in memory for tests
// (moderation/memory_store.h); one contract test suite holds them to the same promises.
//
// A version is a policy's bytes together with its golden set. It is addressed by policy id and
// number (1, 2, ...) or by the BLAKE2b hash of the policy's bytes; publishing the same bytes with
// the same golden set again is the same version.
//
//   draft -> shadow -> canary -> active -> retired      steps may be left out, never taken back
//   retired -> draft                                    to try it again; its approval is void
//
// At most one version of a policy is active, and at most one is the canary. A version that becomes
// active retires the one that was. Rolling back makes the version active that was active before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace safeguard::moderation {

enum class VersionState { kDraft, kShadow, kCanary, kActive, kRetired };

const char* ToString(VersionState state);  // "draft", ...
std::optional<VersionState> VersionStateFrom(std::string_view text);

// Milliseconds since 1970-01-01 UTC. The domain knows no clock: whoever calls says when it is.
using TimeMs = std::int64_t;

struct VersionInfo {
  std::string policy_id;
  int number = 0;
  std::string hash;         // BLAKE2b of the policy's bytes, 64 hexadecimal digits
  std::string golden_hash;  // BLAKE2b of the golden set's bytes; empty without one
  VersionState state = VersionState::kDraft;
  double canary_percent = 0;  // 0..100; only of the canary
  std::string author;
  std::string note;
  TimeMs created = 0;
  std::string approved_by;  // empty: by nobody yet
  TimeMs approved = 0;
  TimeMs state_since = 0;
  friend bool operator==(const VersionInfo&, const VersionInfo&) = default;
};

struct VersionBytes {
  std::string policy;
  std::string golden;  // JSONL; empty: there is none
};

enum class EventKind {
  kPublish,        // a new version, as a draft
  kApprove,        // by somebody other than its author
  kMove,           // of one version into another state, or of the canary to another percentage
  kRollback,       // to the version that was active before
  kRetirePolicy,   // all versions: the policy is out of service
  kTwoPersonRule,  // what may answer must have been approved by a second person
};

const char* ToString(EventKind kind);  // "publish", "approve", "move", ...
std::optional<EventKind> EventKindFrom(std::string_view text);

// One line of the append-only history. What does not belong to its kind is empty.
struct StoreEvent {
  std::int64_t sequence = 0;  // given by the store: later events have higher ones
  EventKind kind = EventKind::kPublish;
  std::string policy_id;  // empty: the whole store (kTwoPersonRule alone)
  int number = 0;
  std::string hash;
  std::string golden_hash;
  VersionState from = VersionState::kDraft;
  VersionState to = VersionState::kDraft;
  double canary_percent = 0;
  std::optional<bool> two_person;  // of kTwoPersonRule; empty: as the store says
  std::string who;
  std::string why;
  TimeMs when = 0;
  friend bool operator==(const StoreEvent&, const StoreEvent&) = default;
};

// Who does something, why, and when. `who` is what the caller claims; the store authenticates
// nobody.
struct Action {
  std::string who;
  std::string why;
  TimeMs when = 0;
};

inline constexpr std::size_t kPolicyIdBytesMax = 100;
inline constexpr std::size_t kGoldenBytesMax = std::size_t{64} << 20;
inline constexpr std::size_t kAttachmentBytesMax = std::size_t{64} << 20;
inline constexpr std::size_t kActionBytesMax = 4096;  // of who, of why
inline constexpr int kVersionsMax = 100'000;          // of one policy

// The name under which GetAttachment gives the golden set; fixed when the version is published.
inline constexpr std::string_view kGoldenAttachment = "golden.jsonl";

// Letters, digits, '.', '_', '-', beginning with a letter or digit; at most kPolicyIdBytesMax.
Status CheckPolicyId(std::string_view id);

struct Published {
  VersionInfo version;
  bool is_new = false;  // false: these bytes were there already
};

struct Change {
  StoreEvent event;
  VersionBytes bytes;  // of kPublish
};

// The versions that may answer or shadow now, in one consistent reading.
struct LiveVersions {
  std::uint64_t generation = 0;
  std::string salt;                   // of canary routing; random, the same for the store's life
  std::vector<VersionInfo> versions;  // shadow, canary and active, ordered by id and number
};

// Errors: kNotFound (policy, version, attachment), kInvalidInput (a step that is not legal, with
// the steps that are), kLimit, kUnavailable (locked, full, read-only), kCorruptFile.
// Thread-safe. What a call changed is there for every process when it returns, and survives a
// crash.
class PolicyStore {
 public:
  virtual ~PolicyStore() = default;

  // All of `changes` in order or none of them, checked by the rules above; policy_id must be the
  // same in all. Fields that the rules fill in (number of a new version, `from`, the target of a
  // rollback) may be 0 or are checked where given. Gives the events that became history, as they
  // did: publishing known bytes gives none.
  virtual Result<std::vector<StoreEvent>> Apply(std::span<const Change> changes) = 0;

  virtual Result<std::vector<std::string>> PolicyIds() = 0;  // in order
  // In order of their numbers. kNotFound for an unknown policy.
  virtual Result<std::vector<VersionInfo>> Versions(const std::string& policy_id) = 0;
  // Checked against the hashes: bytes that changed on the disk are kCorruptFile.
  virtual Result<VersionBytes> Read(const std::string& policy_id, int number) = 0;
  // Events with a sequence above `after`, oldest first, at most `limit`. An empty id: of all.
  virtual Result<std::vector<StoreEvent>> History(const std::string& policy_id, std::int64_t after,
                                                  std::size_t limit) = 0;
  // Whether the policy asks for a second person: its own setting, else the store's.
  virtual Result<bool> TwoPersonRule(const std::string& policy_id) = 0;

  // Grows with every change that LiveVersions could show. Cheap enough for each request.
  virtual Result<std::uint64_t> Generation() = 0;
  virtual Result<LiveVersions> Live() = 0;

  // Bytes kept with a version by name: "calibration/screen", "tests/last", ... Putting one again
  // replaces it, but for the golden set: that takes a new version. Names are parts of letters,
  // digits, '.', '_', '-' joined by '/', at most 200 bytes.
  virtual Status PutAttachment(const std::string& policy_id, int number, const std::string& name,
                               std::string_view bytes) = 0;
  virtual Result<std::string> GetAttachment(const std::string& policy_id, int number,
                                            const std::string& name) = 0;
  virtual Result<std::vector<std::string>> ListAttachments(const std::string& policy_id,
                                                           int number) = 0;

  // The same as Apply() with one change.
  Result<Published> Publish(const std::string& policy_id, VersionBytes bytes, const Action& action);
  Result<VersionInfo> Approve(const std::string& policy_id, int number, const Action& action);
  // `percent` (0..100) only with kCanary.
  Result<VersionInfo> Move(const std::string& policy_id, int number, VersionState to,
                           double percent, const Action& action);
  // Gives the version that is active now.
  Result<VersionInfo> Rollback(const std::string& policy_id, const Action& action);
  Status RetirePolicy(const std::string& policy_id, const Action& action);
  // An empty id: the store's own setting.
  Status SetTwoPersonRule(const std::string& policy_id, std::optional<bool> on,
                          const Action& action);

  // The version that `selector` names: a number, a prefix of at least 4 digits of a hash, "active",
  // "canary", "shadow" or "latest". Fails when it names none, or several.
  Result<VersionInfo> Find(const std::string& policy_id, std::string_view selector);
};

Status CheckAttachmentName(std::string_view name);

// "spam@3" is "spam" and "3"; without an '@' the selector is empty.
struct VersionName {
  std::string policy_id;
  std::string selector;
};
VersionName ParseVersionName(std::string_view text);

}  // namespace safeguard::moderation
