// history.jsonl, which people edit and merge: whatever is in it, reading it ends in events or one
// clear error, and events written out are read back the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "moderation/memory_store.h"
#include "storage/folder/history_lines.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using safeguard::storage::ParseHistory;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto events = ParseHistory(text, "spam", "history.jsonl");
  if (!events) {
    CHECK(!events.error().message.empty());
    return 0;
  }
  std::string written;
  for (const auto& event : *events) {
    written += safeguard::storage::HistoryLine(event);
  }
  const auto again = ParseHistory(written, "spam", "history.jsonl");
  CHECK(again && again->size() == events->size());
  std::string second;
  for (const auto& event : *again) {
    second += safeguard::storage::HistoryLine(event);
  }
  CHECK(second == written);
  // And whatever it says, a store takes it whole or not at all.
  const auto store = safeguard::moderation::MemoryPolicyStore();
  for (const auto& event : *events) {
    const safeguard::moderation::Change change{event, {}};
    (void)store->Apply(std::span(&change, 1));
  }
  return 0;
}
