#include <utility>

#include "base/check.h"
#include "moderation/lists.h"

namespace safeguard::moderation {

LiveLists::LiveLists(std::shared_ptr<const ListSnapshot> snapshot,
                     std::function<std::int64_t()> now)
    : snapshot_(std::move(snapshot)), now_(std::move(now)) {
  CHECK(snapshot_ != nullptr && now_ != nullptr);
}

Result<std::vector<ListHit>> LiveLists::Match(const Content& content, const Policy& policy) {
  return snapshot()->Match(content, policy.id, now_());
}

void LiveLists::Replace(std::shared_ptr<const ListSnapshot> snapshot) {
  CHECK(snapshot != nullptr);
  const std::lock_guard lock(mutex_);
  snapshot_.swap(snapshot);  // the old one is freed by its last reader, outside of the lock
}

std::shared_ptr<const ListSnapshot> LiveLists::snapshot() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}

}  // namespace safeguard::moderation
