// Arbitrary bytes as a content that may speak to its judge: what is found lies in it, and more text
// hides nothing.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "base/utf8.h"
#include "moderation/tamper_detector.h"

namespace moderation = safeguard::moderation;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto detector = moderation::MakeTamperDetector();
  CHECK(detector.has_value());
  const std::string text =
      safeguard::RepairUtf8(std::string(reinterpret_cast<const char*>(data), size)).text;
  const moderation::TamperFinding finding = (*detector)->Inspect(moderation::UserMessage(text));
  CHECK(finding.strength >= 0 && finding.strength <= 1);
  CHECK(finding.addresses_judge == (finding.strength >= moderation::kTamperStrength));
  CHECK(finding.evidence.size() <= 8);
  for (const moderation::Evidence& evidence : finding.evidence) {
    CHECK(evidence.message == 0 && evidence.start <= evidence.end && evidence.end <= text.size());
    CHECK(text.substr(evidence.start, evidence.end - evidence.start) == evidence.text);
  }
  CHECK((*detector)->Inspect(moderation::UserMessage(text + " <|start|>")).addresses_judge);
  return 0;
}
