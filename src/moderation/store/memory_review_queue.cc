#include <algorithm>
#include <mutex>
#include <utility>

#include "moderation/review_queue.h"

namespace safeguard::moderation {
namespace {

class MemoryReviews final : public ReviewQueue {
 public:
  explicit MemoryReviews(const ReviewLimits& limits) : limits_(limits) {}

  Result<std::int64_t> File(const ReviewItem& item, TimeMs now) override {
    if (const Status good = CheckReviewItem(item); !good) {
      return std::unexpected(good.error());
    }
    const std::lock_guard lock(mutex_);
    std::size_t open = 0;
    std::size_t bytes = 0;
    for (const ReviewCase& kept : cases_) {
      if (kept.key == item.key) {
        return kept.id;
      }
      open += kept.decision ? 0 : 1;
      bytes += TextBytes(kept.content);
    }
    if (const Status room = CheckReviewRoom(limits_, open, bytes); !room) {
      return std::unexpected(room.error());
    }
    ReviewCase filed;
    filed.id = next_++;
    filed.key = item.key;
    filed.route = item.route;
    filed.content = item.content;
    filed.policy = item.verdict.policy;
    filed.verdict = EarlierOf(item.verdict);
    filed.why = item.why;
    filed.priority = item.priority;
    filed.filed = now;
    cases_.push_back(std::move(filed));
    return cases_.back().id;
  }

  Result<ReviewCase> Decide(std::int64_t id, const ReviewDecision& decision, bool again) override {
    if (const Status good = CheckReviewDecision(decision); !good) {
      return std::unexpected(good.error());
    }
    const std::lock_guard lock(mutex_);
    const auto found = Place(id);
    if (found == cases_.end()) {
      return NoSuchReview(id);
    }
    if (found->decision && !again) {
      return DecidedAlready(*found);
    }
    found->decision = decision;
    ++found->decisions;
    return *found;
  }

  Result<ReviewCase> Find(std::int64_t id) override {
    const std::lock_guard lock(mutex_);
    const auto found = Place(id);
    return found == cases_.end() ? NoSuchReview(id) : Result<ReviewCase>(*found);
  }

  Result<std::vector<ReviewCase>> List(const ReviewQuery& query) override {
    if (const Status good = CheckReviewQuery(query); !good) {
      return std::unexpected(good.error());
    }
    const std::lock_guard lock(mutex_);
    std::vector<ReviewCase> page;
    for (const ReviewCase& kept : cases_) {
      if (kept.id > query.after && (query.policy_id.empty() || kept.policy.id == query.policy_id) &&
          (query.route.empty() || kept.route == query.route) &&
          (!query.decided || kept.decision.has_value() == *query.decided)) {
        page.push_back(kept);
      }
    }
    if (!query.by_id) {
      std::ranges::stable_sort(page, std::greater(), &ReviewCase::priority);
    }
    page.resize(std::min(page.size(), query.limit));
    return page;
  }

  Result<ReviewCounts> Counts() override {
    const std::lock_guard lock(mutex_);
    ReviewCounts counts;
    for (const ReviewCase& kept : cases_) {
      ++(kept.decision ? counts.decided : counts.open);
    }
    return counts;
  }

  Result<std::optional<ReviewCase>> Take(const std::string& by, TimeMs now, TimeMs until) override {
    const std::lock_guard lock(mutex_);
    ReviewCase* most = nullptr;
    for (ReviewCase& kept : cases_) {
      const bool free = !kept.decision && kept.held_until <= now;
      most = free && (most == nullptr || kept.priority > most->priority) ? &kept : most;
    }
    if (most == nullptr) {
      return std::nullopt;
    }
    most->holder = by;
    most->held_until = until;
    ++most->lease;
    return *most;
  }

  Result<ReviewCase> Release(std::int64_t id, std::int64_t lease) override {
    const std::lock_guard lock(mutex_);
    const auto found = Place(id);
    if (found == cases_.end() || found->lease != lease || found->decision) {
      return found == cases_.end() ? NoSuchReview(id) : ReviewLeaseLost(id);
    }
    found->holder.clear();
    found->held_until = 0;
    return *found;
  }

  Result<std::size_t> Prune(TimeMs before) override {
    const std::lock_guard lock(mutex_);
    return std::erase_if(cases_, [&](const ReviewCase& kept) {
      return kept.decision && kept.decision->when < before;
    });
  }

 private:
  std::vector<ReviewCase>::iterator Place(std::int64_t id) {
    return std::ranges::find(cases_, id, &ReviewCase::id);
  }

  ReviewLimits limits_;
  std::mutex mutex_;
  std::int64_t next_ = 1;
  std::vector<ReviewCase> cases_;  // in order of id
};

}  // namespace

std::unique_ptr<ReviewQueue> MemoryReviewQueue(const ReviewLimits& limits) {
  return std::make_unique<MemoryReviews>(limits);
}

}  // namespace safeguard::moderation
