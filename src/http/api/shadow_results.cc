#include "http/api/shadow_results.h"

#include <cmath>

#include "base/check.h"

namespace safeguard::http {
namespace {

using moderation::Channel;
using moderation::VerdictRecord;

std::optional<VerdictRecord> TakeFirst(std::map<std::string, std::deque<VerdictRecord>>& kept,
                                       const std::string& hash) {
  const auto found = kept.find(hash);
  if (found == kept.end()) {
    return std::nullopt;
  }
  VerdictRecord first = std::move(found->second.front());
  found->second.pop_front();
  if (found->second.empty()) {
    kept.erase(found);
  }
  return first;
}

}  // namespace

Share ShareOf(std::size_t count, std::size_t total) {
  CHECK(total > 0 && count <= total);
  constexpr double z = 1.959963984540054;  // of the middle 95 % of a normal distribution
  const auto trials = static_cast<double>(total);
  const double share = static_cast<double>(count) / trials;
  const double scale = 1 + z * z / trials;
  const double centre = (share + z * z / (2 * trials)) / scale;
  const double half =
      z * std::sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials)) / scale;
  return {share, count == 0 ? 0 : centre - half, count == total ? 1 : centre + half};
}

void ShadowResults::Add(VerdictRecord record) {
  record.content.reset();  // it may be large, and its hash is enough
  if (record.channel == Channel::kShadow) {
    if (record.policy.version != version_) {
      return;
    }
    ++shadows_;
    if (const auto answered = TakeFirst(answers_, record.content_hash)) {
      Count(*answered, record);
    } else {
      waiting_[record.content_hash].push_back(std::move(record));
    }
    return;
  }
  if (record.channel != Channel::kActive && record.channel != Channel::kCanary) {
    return;
  }
  if (const auto shadow = TakeFirst(waiting_, record.content_hash)) {
    Count(record, *shadow);
  } else {
    answers_[record.content_hash].push_back(std::move(record));
  }
}

void ShadowResults::Count(const VerdictRecord& answered, const VerdictRecord& shadow) {
  ++paired_;
  if (answered.outcome == shadow.outcome) {
    ++agreed_;
    return;
  }
  Direction& direction = directions_[{answered.outcome, shadow.outcome}];
  ++direction.count;
  if (direction.examples.size() < kShadowExamplesMax) {
    direction.examples.push_back({answered, shadow});
  }
}

}  // namespace safeguard::http
