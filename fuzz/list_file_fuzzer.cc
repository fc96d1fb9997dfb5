// Arbitrary bytes as a list file: every entry that is read is written and read again as the same,
// and a list without errors compiles and answers with places inside the content.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/utf8.h"
#include "moderation/lists.h"

namespace moderation = safeguard::moderation;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  std::vector<moderation::ListProblem> problems;
  moderation::List list = moderation::ReadListLines(bytes, "fuzz", problems);
  for (const moderation::ListProblem& problem : problems) {
    CHECK(!problem.message.empty() && problem.error);
  }
  for (const moderation::ListEntry& entry : list.entries) {
    const std::string line = moderation::EntryLine(entry);
    const auto again = moderation::ReadList(line, "fuzz");
    CHECK(again && again->entries.size() == 1 && moderation::EntryLine(again->entries[0]) == line);
  }
  for (const moderation::ListProblem& problem : moderation::LintList(list, 0)) {
    CHECK(!problem.error && !problem.mend.empty());
  }
  const auto snapshot = moderation::ListSnapshot::Compile({std::move(list)});
  if (!snapshot) {
    return 0;
  }
  const std::string text = safeguard::RepairUtf8(bytes).text;
  const auto hits = (*snapshot)->Match(moderation::UserMessage(text), "spam", 0);
  CHECK(hits);
  for (const moderation::ListHit& hit : *hits) {
    for (const moderation::Evidence& evidence : hit.evidence) {
      CHECK(evidence.start < evidence.end && evidence.end <= text.size());
    }
  }
  return 0;
}
