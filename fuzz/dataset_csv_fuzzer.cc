// Arbitrary bytes as CSV, with and without a header: progress, lines in order, valid text.

#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>

#include "base/check.h"
#include "base/utf8.h"
#include "eval/dataset.h"

namespace {

using safeguard::eval::Entry;
using safeguard::eval::ReadOptions;

void ReadAll(const std::string& bytes, const ReadOptions& options) {
  std::istringstream in(bytes);
  auto reader = safeguard::eval::ReadRecords(in, "fuzz", options);
  if (!reader) {
    CHECK(!reader.error().message.empty());
    return;
  }
  std::size_t line = 0;
  std::uint64_t offset = 0;
  while (std::optional<Entry> entry = (*reader)->Next()) {
    CHECK(entry->line > line);
    CHECK(entry->end_offset > offset && entry->end_offset <= bytes.size());
    line = entry->line;
    offset = entry->end_offset;
    if (!entry->record) {
      CHECK(entry->record.error().message.starts_with("line " + std::to_string(line) + ": "));
      continue;
    }
    for (const auto& message : entry->record->content.messages) {
      CHECK(!safeguard::FirstInvalidUtf8(message.text));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  ReadOptions options;
  options.format = safeguard::eval::DataFormat::kCsv;
  ReadAll(bytes, options);
  options.has_header = false;
  options.mapping.text = "1";
  options.mapping.label = "2";
  options.delimiter = size > 0 && data[0] % 2 == 0 ? ',' : '\0';
  ReadAll(bytes, options);
  return 0;
}
