// Arbitrary bytes as a run file: whole lines only, cases only under their header, and what was read
// is written and read again as the same.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "eval/run_file/lines.h"

namespace eval = safeguard::eval;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const auto lines = eval::SplitRun(bytes, "fuzz");
  if (!lines) {
    CHECK(!lines.error().message.empty());
    return 0;
  }
  CHECK(lines->bytes <= bytes.size());
  CHECK(lines->bytes == 0 || bytes[lines->bytes - 1] == '\n');
  const auto header = eval::ReadHeader(lines->header);
  if (!header) {
    return 0;
  }
  CHECK(!header->policies.empty());
  for (const nlohmann::json& line : lines->cases) {
    const auto recorded = eval::ReadCase(line, header->policies);
    if (!recorded) {
      continue;
    }
    CHECK(recorded->judged.results.size() == header->policies.size());
    const auto again =
        eval::ReadCase(nlohmann::json::parse(eval::CaseLine(recorded->record, recorded->judged)),
                       header->policies);
    CHECK(again);
    for (std::size_t p = 0; p < header->policies.size(); ++p) {
      CHECK(again->judged.results[p].verdict.outcome ==
            recorded->judged.results[p].verdict.outcome);
      CHECK(again->judged.results[p].verdict.score == recorded->judged.results[p].verdict.score);
    }
    CHECK(again->record.expected == recorded->record.expected);
  }
  return 0;
}
