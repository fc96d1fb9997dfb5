// VerdictLog: what was decided, one record a verdict, appended and never changed. Content itself
// stays out unless the caller asks for it; its hash is always there, so that the same content is
// known again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "moderation/content.h"
#include "moderation/policy_store.h"
#include "moderation/verdict.h"

namespace safeguard::moderation {

// In what part the version judged. kDirect: named by number, hash or file, not by its state.
enum class Channel { kDirect, kActive, kCanary, kShadow };

const char* ToString(Channel channel);  // "direct", "active", "canary", "shadow"
std::optional<Channel> ChannelFrom(std::string_view text);

// What was answered at first, where the verdict came later.
struct EarlierVerdict {
  Outcome outcome = Outcome::kUndetermined;
  UndeterminedReason reason = UndeterminedReason::kNone;
  std::optional<double> score;
  std::vector<std::string> rule_ids;
  std::string layer;

  friend bool operator==(const EarlierVerdict&, const EarlierVerdict&) = default;
};

// How a verdict came about: what a receipt tells, so that it can be computed again.
struct Provenance {
  std::map<std::string, std::string> settings{};  // DecidedBy's
  std::vector<LayerStep> path{};                  // of a cascade
  // Build, kernels and options of the judge, as a JSON object; empty: not told. Filled in by
  // whoever opened the judge.
  std::string setup{};
};

struct VerdictRecord {
  std::int64_t sequence = 0;  // given by the log: later records have higher ones
  TimeMs when = 0;
  std::string content_hash;        // ContentHash()
  std::optional<Content> content;  // only where the operator keeps it
  std::string content_id;
  std::string surface;
  std::string language;
  PolicyReference policy;
  Channel channel = Channel::kDirect;
  Outcome outcome = Outcome::kUndetermined;
  UndeterminedReason reason = UndeterminedReason::kInternalError;
  std::optional<double> score;  // 0..1
  std::string category;
  std::vector<std::string> rule_ids;
  std::string layer;  // "screen", "reasoner", ...
  std::string model;
  std::string model_hash;
  // Where not empty, the log has one record with it: the first. For work that may be done twice.
  std::string key;
  std::optional<EarlierVerdict> provisional;
  Provenance provenance;
};

// What a later verdict changed.
struct VerdictChange {
  bool outcome = false;
  std::optional<double> score;             // later minus earlier; empty when one of them had none
  std::vector<std::string> rules_added;    // in the later one's order
  std::vector<std::string> rules_dropped;  // in the earlier one's order
};

EarlierVerdict EarlierOf(const Verdict& verdict);
VerdictChange ChangeFrom(const EarlierVerdict& earlier, const VerdictRecord& later);

// BLAKE2b over kind, roles and texts: 64 hexadecimal digits. Id, surface and language do not count.
std::string ContentHash(const Content& content);

// The record of a verdict; the content goes with it when `keep_content`.
VerdictRecord RecordOf(const Verdict& verdict, const Content& content, Channel channel, TimeMs when,
                       bool keep_content);

struct VerdictQuery {
  std::string policy_id{};       // empty: all
  std::string policy_version{};  // empty: all; only with policy_id
  std::optional<Channel> channel{};
  std::optional<Outcome> outcome{};
  std::optional<TimeMs> from{};   // at or after
  std::optional<TimeMs> until{};  // before
  bool only_with_content = false;
  std::int64_t after = 0;    // the cursor: records with a higher sequence
  std::size_t limit = 1000;  // records of one page, 1..kVerdictPageMax
};

inline constexpr std::size_t kVerdictPageMax = 10'000;
inline constexpr std::size_t kVerdictPageBytesMax = std::size_t{4} << 20;

// A page of 1 to kVerdictPageMax records; a version only with its policy.
Status CheckQuery(const VerdictQuery& query);

struct VerdictPage {
  std::vector<VerdictRecord> records;  // oldest first
  std::int64_t next = 0;               // `after` of the next page
  bool end = true;                     // nothing follows now
};

// Thread-safe.
class VerdictLog {
 public:
  virtual ~VerdictLog() = default;

  // All of `records` or none; their sequences are not looked at. A record whose key the log has is
  // left out, and that is no error. Returns when they are on the disk.
  virtual Status Append(std::span<const VerdictRecord> records) = 0;
  // At most `limit` records and about kVerdictPageBytesMax bytes of content, whichever is fewer (at
  // least one record where there is one): walking a log of any size takes bounded memory.
  virtual Result<VerdictPage> Scan(const VerdictQuery& query) = 0;
  // How many records match; `after` and `limit` do not count.
  virtual Result<std::uint64_t> Count(const VerdictQuery& query) = 0;
};

// The record of that sequence; nothing where the log has none.
Result<std::optional<VerdictRecord>> FindVerdict(VerdictLog& log, std::int64_t sequence);

}  // namespace safeguard::moderation
