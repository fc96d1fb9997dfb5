// LanguageDetector: in which language a content is written. A cascade asks it before the screen
// alone may call a content safe (the language gate).
#pragma once

#include <string>

#include "moderation/content.h"

namespace safeguard::moderation {

struct LanguageGuess {
  std::string language;   // BCP 47, its primary part: "en"; empty: not known
  double confidence = 0;  // 0..1
};

class LanguageDetector {
 public:
  virtual ~LanguageDetector() = default;
  // Thread-safe. What the caller states in content.language is the caller's; this looks at the
  // text.
  virtual LanguageGuess Detect(const Content& content) = 0;
};

}  // namespace safeguard::moderation
