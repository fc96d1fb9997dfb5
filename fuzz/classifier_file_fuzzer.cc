// Files of dedicated classifiers and what is inside them. The hash keeps changed bytes out of a
// whole file, so the parts are also read alone, as somebody would craft them.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "judges/classifier_card.h"
#include "judges/dedicated/card_json.h"
#include "judges/dedicated/embedding_head.h"
#include "judges/dedicated/fasttext/fasttext_model.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace safeguard::judges;  // NOLINT(google-build-using-namespace)
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto file = ReadClassifier(bytes, "fuzzed")) {
    CHECK(ReadClassifier(WriteClassifier(file->card, file->weights), "again").has_value());
  }
  std::string complaint;
  const ClassifierCard card = ReadCardJson(bytes, complaint);
  if (complaint.empty()) {
    const double probability = card.map.Apply(0.3);
    CHECK(probability >= 0 && probability <= 1);
    static_cast<void>(CardJson(card));
  }
  if (const auto head = ReadHead(bytes, size < 8 ? 0 : (size - 8) / 4)) {
    CHECK(WriteHead(*head) == bytes);
  }
  if (const auto model = LoadFastText(std::string(bytes))) {
    static_cast<void>((*model)->LogOdds("win free money now"));
    static_cast<void>((*model)->LogOdds(""));
  }
  return 0;
}
