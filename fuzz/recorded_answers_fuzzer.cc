// Arbitrary bytes as a file of recorded answers, by id and text and by line: an error names its
// line, and an answer that was read is judged without a crash and never becomes safe by failing.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "judges/reasoner/adherence.h"
#include "judges/reasoner/answer.h"
#include "judges/recorded/answers.h"
#include "moderation/policy.h"

namespace {

namespace judges = safeguard::judges;
namespace moderation = safeguard::moderation;

constexpr std::string_view kPolicy =
    "---\nid: spam\noutput: binary-json\n---\n# Spam\nOutput only this JSON: `{\"violation\": 0|1, "
    "\"policy_category\": \"SP2\"|null}`\n## VIOLATES (1)\n### SP2 - Ads\n- **SP2.a** Ads.\n## "
    "SAFE "
    "(0)\n### SP0 - Fine\n- **SP0.a** Asks.\n";

void Judge(const judges::RecordedAnswer& answer) {
  static const moderation::Policy policy = *moderation::ReadPolicy(kPolicy, "spam");
  static const judges::AnswerLabels labels(policy);
  const judges::AnswerReading reading = judges::ReadAnswer(policy, labels, answer.final);
  const moderation::Adherence adherence =
      judges::CheckAdherence(policy, labels, answer.final, reading);
  CHECK(!adherence.form.empty());
  CHECK(adherence.followed.has_value());
  CHECK(*adherence.followed == adherence.fault.empty());
  for (const std::string& rule : reading.rule_ids) {
    CHECK(policy.FindRule(rule) != nullptr);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  for (const bool by_line : {false, true}) {
    const auto answers = judges::RecordedAnswers::Read(bytes, "fuzz", nullptr, by_line);
    if (!answers) {
      CHECK(answers.error().message.starts_with("fuzz: line "));
      continue;
    }
    std::size_t found = 0;
    for (std::size_t line = 1; by_line && line <= answers->size() + 8; ++line) {
      moderation::Content content = moderation::UserMessage("");
      content.id = "line " + std::to_string(line);
      if (const judges::RecordedAnswer* answer = answers->Find(content, "spam")) {
        Judge(*answer);
        ++found;
      }
    }
    CHECK(found <= answers->size());
  }
  return 0;
}
