#include <algorithm>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "moderation/memory_store.h"

namespace safeguard::moderation {
namespace {

bool IsWanted(const VerdictRecord& record, const VerdictQuery& query) {
  return (query.policy_id.empty() || record.policy.id == query.policy_id) &&
         (query.policy_version.empty() || record.policy.version == query.policy_version) &&
         (!query.channel || record.channel == *query.channel) &&
         (!query.outcome || record.outcome == *query.outcome) &&
         (!query.from || record.when >= *query.from) &&
         (!query.until || record.when < *query.until) &&
         (!query.only_with_content || record.content);
}

class MemoryLog final : public VerdictLog {
 public:
  Status Append(std::span<const VerdictRecord> records) override {
    const std::lock_guard lock(mutex_);
    for (const VerdictRecord& record : records) {
      if (!record.key.empty() && !keys_.insert(record.key).second) {
        continue;
      }
      records_.push_back(record);
      records_.back().sequence = static_cast<std::int64_t>(records_.size());
    }
    return {};
  }

  Result<VerdictPage> Scan(const VerdictQuery& query) override {
    const Status checked = CheckQuery(query);
    if (!checked) {
      return std::unexpected(checked.error());
    }
    const std::lock_guard lock(mutex_);
    VerdictPage page;
    page.next = query.after;
    std::size_t bytes = 0;
    for (const VerdictRecord& record : records_) {
      if (record.sequence <= query.after || !IsWanted(record, query)) {
        continue;
      }
      if (page.records.size() == query.limit || bytes > kVerdictPageBytesMax) {
        page.end = false;
        break;
      }
      bytes += record.content ? TextBytes(*record.content) : 0;
      page.records.push_back(record);
      page.next = record.sequence;
    }
    return page;
  }

  Result<std::uint64_t> Count(const VerdictQuery& query) override {
    const std::lock_guard lock(mutex_);
    return static_cast<std::uint64_t>(
        std::ranges::count_if(records_, [&](const auto& r) { return IsWanted(r, query); }));
  }

 private:
  std::mutex mutex_;
  std::vector<VerdictRecord> records_;
  std::set<std::string> keys_;
};

}  // namespace

std::unique_ptr<VerdictLog> MemoryVerdictLog() {
  return std::make_unique<MemoryLog>();
}

}  // namespace safeguard::moderation
