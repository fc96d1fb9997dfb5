// LanguageDetector: in which language a content is written. A cascade asks it before the screen
// alone may call a content safe (the language gate).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "moderation/content.h"

namespace safeguard::moderation {

struct LanguagePart {
  std::string language;  // BCP 47, its primary part
  double share = 0;      // of the letters, 0..1
};

struct LanguageGuess {
  std::string language;   // BCP 47, its primary part: "en"; empty: not known
  double confidence = 0;  // 0..1
  // Of a content in several languages: each with a share of at least a twentieth, largest first.
  // Empty where the language is not known.
  std::vector<LanguagePart> parts{};
};

class LanguageDetector {
 public:
  virtual ~LanguageDetector() = default;
  // Thread-safe. What the caller states in content.language is the caller's; this looks at the
  // text.
  virtual LanguageGuess Detect(const Content& content) = 0;
};

// CLD2, and scripts that only one language uses where a text is too short for it. Texts of more
// than 64 KiB are sampled evenly over their whole length.
std::unique_ptr<LanguageDetector> MakeLanguageDetector();

}  // namespace safeguard::moderation
