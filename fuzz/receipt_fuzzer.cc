// Arbitrary bytes as a receipt: refused, or read as what is written again the same.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "moderation/receipt.h"

namespace moderation = safeguard::moderation;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto record = moderation::ReceiptFromJson(text)) {
    const std::string written = moderation::ReceiptJson(*record);
    const auto again = moderation::ReceiptFromJson(written);
    CHECK(again.has_value() && moderation::ReceiptJson(*again) == written);
    CHECK(moderation::CompareVerdicts(*record, *again).empty());
    CHECK(moderation::CompareSetups(record->provenance.setup, again->provenance.setup).empty());
  }
  if (const auto provenance = moderation::ProvenanceFromJson(text)) {
    CHECK(moderation::ProvenanceFromJson(moderation::ProvenanceJson(*provenance)).has_value());
  }
  return 0;
}
