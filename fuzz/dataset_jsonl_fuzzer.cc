// Arbitrary bytes as JSONL: every entry has its line, in order, and says what is wrong with it or
// holds valid text; golden sets are read from the same bytes without a crash.
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>

#include "base/check.h"
#include "base/utf8.h"
#include "eval/dataset.h"
#include "eval/golden_set.h"

using safeguard::eval::Entry;
using safeguard::eval::ReadOptions;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  std::istringstream in(bytes);
  ReadOptions options;
  options.format = safeguard::eval::DataFormat::kJsonl;
  auto reader = safeguard::eval::ReadRecords(in, "fuzz", options);
  if (!reader) {
    CHECK(!reader.error().message.empty());
    return 0;
  }
  std::size_t line = 0;
  std::uint64_t offset = 0;
  while (std::optional<Entry> entry = (*reader)->Next()) {
    CHECK(entry->line > line);
    CHECK(entry->end_offset > offset && entry->end_offset <= size);
    line = entry->line;
    offset = entry->end_offset;
    if (!entry->record) {
      CHECK(entry->record.error().message.starts_with("line " + std::to_string(line) + ": "));
      continue;
    }
    CHECK(entry->record->line == line);
    CHECK(!entry->record->content.messages.empty());
    for (const auto& message : entry->record->content.messages) {
      CHECK(!safeguard::FirstInvalidUtf8(message.text));
    }
    if (const auto golden = safeguard::eval::ToGoldenCase(*entry->record)) {
      std::istringstream again(safeguard::eval::GoldenLine(*golden) + "\n");
      const auto back = safeguard::eval::ReadGoldenSet(again, "again");
      CHECK(back && back->size() == 1 && back->front().expected == golden->expected);
      CHECK(back->front().content.messages.size() == golden->content.messages.size());
    }
  }
  return 0;
}
