#include "moderation/review_queue.h"

#include <cmath>
#include <utility>

#include "base/check.h"

namespace safeguard::moderation {
namespace {

Status CheckText(const std::string& name, const std::string& text, bool may_be_empty) {
  if (text.empty() && !may_be_empty) {
    return Fail(ErrorCode::kInvalidInput, "a decision needs " + name, "say it");
  }
  if (text.size() > kReviewTextBytesMax) {
    return Fail(ErrorCode::kLimit,
                name + " has more than " + std::to_string(kReviewTextBytesMax) + " bytes",
                "shorten it");
  }
  return {};
}

class Sink final : public ReviewSink {
 public:
  Sink(ReviewQueue& queue, std::function<TimeMs()> now) : queue_(queue), now_(std::move(now)) {
    CHECK(now_);
  }
  Status File(const ReviewItem& item) override {
    const Result<std::int64_t> filed = queue_.File(item, now_());
    return filed ? Status{} : std::unexpected(filed.error());
  }

 private:
  ReviewQueue& queue_;
  std::function<TimeMs()> now_;
};

}  // namespace

Status CheckReviewItem(const ReviewItem& item) {
  if (item.key.empty() || item.key.size() > 256) {
    return Fail(ErrorCode::kInvalidInput, "a case for review needs a key of 1 to 256 bytes");
  }
  if (TextBytes(item.content) > kReviewContentBytesMax) {
    return Fail(ErrorCode::kLimit, "a content for review has at most " +
                                       std::to_string(kReviewContentBytesMax) + " bytes");
  }
  if (!std::isfinite(item.priority)) {
    return Fail(ErrorCode::kInvalidInput, "a priority must be a finite number");
  }
  return {};
}

Status CheckReviewDecision(const ReviewDecision& decision) {
  if (decision.outcome == Outcome::kUndetermined) {
    return Fail(ErrorCode::kInvalidInput, "a decision is `violation` or `safe`",
                "leave the case open while nobody can decide it");
  }
  if (decision.outcome == Outcome::kSafe && !decision.rule_ids.empty()) {
    return Fail(ErrorCode::kInvalidInput, "what is safe breaks no rule", "leave the rules out");
  }
  if (decision.rule_ids.size() > 100) {
    return Fail(ErrorCode::kLimit, "a decision cites at most 100 rules");
  }
  for (const Status& status :
       {CheckText("who decided", decision.by, false), CheckText("a reason", decision.why, false),
        CheckText("a category", decision.category, true)}) {
    if (!status) {
      return status;
    }
  }
  return {};
}

Status CheckReviewQuery(const ReviewQuery& query) {
  if (query.limit < 1 || query.limit > kReviewPageMax || (query.after != 0 && !query.by_id)) {
    return Fail(ErrorCode::kInvalidInput, "a page of the review queue has 1 to " +
                                              std::to_string(kReviewPageMax) +
                                              " items, and only those in order of id go on");
  }
  return {};
}

std::unexpected<Error> NoSuchReview(std::int64_t id) {
  return Fail(ErrorCode::kNotFound, "there is no case " + std::to_string(id) + " in review",
              "see `safeguard review list --state all`");
}

Status CheckReviewRoom(const ReviewLimits& limits, std::size_t open, std::size_t bytes) {
  if (open >= limits.open_max) {
    return Fail(ErrorCode::kLimit,
                "the review queue is full: " + std::to_string(open) + " cases are open",
                "decide some of them");
  }
  if (bytes >= limits.bytes_max) {
    return Fail(ErrorCode::kLimit, "the review queue holds as many bytes as it may",
                "forget decided cases: safeguard review prune");
  }
  return {};
}

std::unexpected<Error> ReviewLeaseLost(std::int64_t id) {
  return Fail(ErrorCode::kNotFound,
              "case " + std::to_string(id) + " is not held under this lease any more",
              "take the next one");
}

std::unexpected<Error> DecidedAlready(const ReviewCase& found) {
  return Fail(ErrorCode::kInvalidInput,
              "case " + std::to_string(found.id) + " was decided by " + found.decision->by + ": " +
                  ToString(found.decision->outcome),
              "add --again to replace that decision; both stay in the verdict log");
}

std::unique_ptr<ReviewSink> ReviewsInto(ReviewQueue& queue, std::function<TimeMs()> now) {
  return std::make_unique<Sink>(queue, std::move(now));
}

VerdictRecord RecordOfDecision(const ReviewCase& found, bool keep_content) {
  CHECK(found.decision.has_value());
  const ReviewDecision& decision = *found.decision;
  Verdict verdict;
  verdict.policy = found.policy;
  verdict.outcome = decision.outcome;
  verdict.reason = UndeterminedReason::kNone;
  verdict.category = decision.category;
  verdict.rule_ids = decision.rule_ids;
  verdict.decided_by = {"review", decision.by, "", {}};
  VerdictRecord record =
      RecordOf(verdict, found.content, Channel::kDirect, decision.when, keep_content);
  record.key = "review/" + std::to_string(found.id) + "/" + std::to_string(found.decisions);
  record.provisional = found.verdict;
  return record;
}

GoldenCase GoldenOfDecision(const ReviewCase& found) {
  CHECK(found.decision.has_value());
  GoldenCase golden;
  golden.content = found.content;
  golden.content.id = "review-" + std::to_string(found.id);
  golden.expected = found.decision->outcome;
  golden.rule_ids = found.decision->rule_ids;
  golden.label = found.decision->category;
  golden.tags = {"review"};
  return golden;
}

}  // namespace safeguard::moderation
