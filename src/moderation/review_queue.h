// ReviewQueue: contents that wait for a person, and what was decided. Implemented in storage/ on
// SQLite. An item holds the content itself: a route that files items asks for that explicitly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "moderation/follow_up.h"
#include "moderation/golden.h"
#include "moderation/policy_store.h"
#include "moderation/verdict_log.h"

namespace safeguard::moderation {

inline constexpr std::size_t kReviewContentBytesMax = std::size_t{4} << 20;
inline constexpr std::size_t kReviewTextBytesMax = 4000;  // of a reason, a name, a category
inline constexpr std::size_t kReviewPageMax = 1000;

// What a person decided, who it was, and why.
struct ReviewDecision {
  Outcome outcome = Outcome::kUndetermined;  // kViolation or kSafe
  std::vector<std::string> rule_ids;         // that apply; of the policy
  std::string category;                      // a label of the policy; may be empty
  std::string by;                            // never empty
  std::string why;                           // never empty
  TimeMs when = 0;
};

struct ReviewCase {
  std::int64_t id = 0;  // given by the queue, from 1; never given again
  std::string key;      // ReviewItem::key
  std::string route;    // may be empty: filed by a command
  Content content;      // whole, with its id, surface and language
  PolicyReference policy;
  EarlierVerdict verdict;  // that sent it here
  std::string why;         // it is here
  double priority = 0;     // higher first
  TimeMs filed = 0;
  std::optional<ReviewDecision> decision;  // the last one
  std::size_t decisions = 0;               // how many there were
  // Who has taken it, until when, under which number (0: nobody ever). It binds those who take
  // cases; a decision can be made without it.
  std::string holder{};
  TimeMs held_until = 0;
  std::int64_t lease = 0;
};

struct ReviewQuery {
  std::string policy_id{};        // empty: all
  std::string route{};            // empty: all
  std::optional<bool> decided{};  // empty: both
  std::int64_t after = 0;         // by_id: only items with a higher id
  std::size_t limit = 100;        // 1..kReviewPageMax
  bool by_id = false;             // in order of id; else by priority, then the oldest first
};

struct ReviewCounts {
  std::size_t open = 0;
  std::size_t decided = 0;
};

struct ReviewLimits {
  std::size_t open_max = 100'000;
  std::size_t bytes_max = std::size_t{2} << 30;  // of all contents
};

// Thread-safe; any number of processes. What a call has acknowledged is on the disk. Errors:
// kInvalidInput for a wrong argument and for an item that is decided already, kLimit for a full
// queue, kNotFound for an item that is not there, kUnavailable and kCorruptFile for the store.
class ReviewQueue {
 public:
  virtual ~ReviewQueue() = default;
  // The item's id; the same key is the same item, decided or not: nothing changes then.
  virtual Result<std::int64_t> File(const ReviewItem& item, TimeMs now) = 0;
  // `again`: also an item that has a decision, which this one replaces.
  virtual Result<ReviewCase> Decide(std::int64_t id, const ReviewDecision& decision,
                                    bool again) = 0;
  virtual Result<ReviewCase> Find(std::int64_t id) = 0;
  virtual Result<std::vector<ReviewCase>> List(const ReviewQuery& query) = 0;
  virtual Result<ReviewCounts> Counts() = 0;
  // The most urgent open item that nobody holds, held by `by` until then; nothing: there is none.
  virtual Result<std::optional<ReviewCase>> Take(const std::string& by, TimeMs now,
                                                 TimeMs until) = 0;
  // Gives back what is held under this lease. kNotFound when it is not the newest.
  virtual Result<ReviewCase> Release(std::int64_t id, std::int64_t lease) = 0;
  // Forgets decided items whose decision is older than `before`; how many they were.
  virtual Result<std::size_t> Prune(TimeMs before) = 0;
};

// In memory, for tests and for whoever can lose everything with the process.
std::unique_ptr<ReviewQueue> MemoryReviewQueue(const ReviewLimits& limits);

// What implementations share.
Status CheckReviewRoom(const ReviewLimits& limits, std::size_t open, std::size_t bytes);
std::unexpected<Error> ReviewLeaseLost(std::int64_t id);
Status CheckReviewItem(const ReviewItem& item);
Status CheckReviewDecision(const ReviewDecision& decision);
Status CheckReviewQuery(const ReviewQuery& query);
std::unexpected<Error> NoSuchReview(std::int64_t id);
std::unexpected<Error> DecidedAlready(const ReviewCase& found);

// What a cascade sends to people goes into `queue`, which must outlive it.
std::unique_ptr<ReviewSink> ReviewsInto(ReviewQueue& queue, std::function<TimeMs()> now);

// The decision as a verdict of the layer "review", with the one before it as what it changed. Its
// key names the item and the decision: the same one is recorded once. REQUIRES: found.decision.
VerdictRecord RecordOfDecision(const ReviewCase& found, bool keep_content);

// The decided item as a labelled case: "review-12". REQUIRES: found.decision.
GoldenCase GoldenOfDecision(const ReviewCase& found);

}  // namespace safeguard::moderation
