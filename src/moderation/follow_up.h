// What a cascade leaves for later: work that another process finishes, and cases for people.
// Implemented on a store; by fakes in tests.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "moderation/clock.h"
#include "moderation/content.h"
#include "moderation/verdict.h"

namespace safeguard::moderation {

// Why a verdict is to be finished later.
enum class DeferReason {
  kBudget,   // the compute budget had no room
  kLatency,  // the reasoner would not have answered in time, or did not
  kAudit,    // a random check of the screen that need not keep the request waiting
  kAsked,    // it was submitted so: nothing has been answered, and no layer has seen it
};

// "budget", "latency", "audit", "asked"
const char* ToString(DeferReason reason);

struct DeferredItem {
  // The same content, policy text and reason give the same key: a second item with it is the first.
  std::string key;
  std::string route;
  Content content;
  PolicyReference policy;
  Verdict provisional;  // what was answered meanwhile
  DeferReason reason = DeferReason::kBudget;
  double gain = 0;          // expected, as the governor sees it: higher goes first
  double audit_weight = 0;  // of kAudit: 1 / the chance to be drawn
  Duration waited{};        // since it was put off; when it is being finished
};

class DeferredWork {
 public:
  virtual ~DeferredWork() = default;
  // Returns when the item is safe: what is acknowledged is finished later, whatever happens. An
  // error leaves it with the caller. Thread-safe.
  virtual Status Defer(const DeferredItem& item) = 0;
  // Items that wait. Thread-safe.
  virtual std::size_t Backlog() = 0;
};

struct ReviewItem {
  std::string key;  // as of a DeferredItem
  std::string route;
  Content content;
  Verdict verdict;
  std::string why;      // for the reviewer, one sentence
  double priority = 0;  // higher first
};

class ReviewSink {
 public:
  virtual ~ReviewSink() = default;
  // Returns when the item is safe. Thread-safe.
  virtual Status File(const ReviewItem& item) = 0;
};

}  // namespace safeguard::moderation
