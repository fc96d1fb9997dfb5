// Arbitrary field names and label values over arbitrary JSONL or CSV. The first line of the input
// is the mapping, its parts between "|": text, label, id, tag, label columns, positive and negative
// values, each perhaps empty; the rest is the file.
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>

#include "base/check.h"
#include "base/utf8.h"
#include "eval/dataset.h"
#include "eval/severity.h"

namespace {

using safeguard::eval::Entry;
using safeguard::eval::Record;

safeguard::eval::ReadOptions OptionsOf(const std::string& line) {
  safeguard::eval::ReadOptions options;
  safeguard::eval::ColumnMapping& mapping = options.mapping;
  std::istringstream parts(line);
  std::string part;
  for (int i = 0; std::getline(parts, part, '|') && i < 8; ++i) {
    if (part.empty()) {
      continue;
    }
    switch (i) {
      case 0:
        mapping.text = part;
        break;
      case 1:
        mapping.label = part;
        break;
      case 2:
        mapping.id = part;
        break;
      case 3:
        mapping.tag_columns.push_back(part);
        break;
      case 4:
        mapping.label_columns.push_back(part);
        break;
      case 5:
        mapping.positive_values.push_back(part);
        break;
      case 6:
        mapping.negative_values.push_back(part);
        break;
      default:
        mapping.messages = part;
    }
  }
  return options;
}

void Check(const Record& record) {
  CHECK(!record.content.messages.empty());
  for (const auto& message : record.content.messages) {
    CHECK(!safeguard::FirstInvalidUtf8(message.text));
  }
  if (record.level) {
    CHECK(*record.level >= 0 && *record.level <= safeguard::eval::kSeverityMax);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(bytes.find('\n'), bytes.size());
  std::istringstream in(bytes.substr(std::min(end + 1, bytes.size())));
  auto reader = safeguard::eval::ReadRecords(in, "fuzz", OptionsOf(bytes.substr(0, end)));
  if (!reader) {
    CHECK(!reader.error().message.empty());
    return 0;
  }
  while (std::optional<Entry> entry = (*reader)->Next()) {
    if (entry->record) {
      Check(*entry->record);
    } else {
      CHECK(entry->record.error().message.starts_with("line "));
    }
  }
  CHECK((*reader)->fields().size() < bytes.size() * 8 + 100);
  return 0;
}
