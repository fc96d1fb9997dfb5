// The language of a text, through CLD2 (Compact Language Detector 2): letter quadgrams and words of
// some 80 languages, scored within each script.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace safeguard::languages {

struct LanguageShare {
  std::string code;  // BCP 47 as CLD2 writes it: "en", "zh", "zh-Hant"
  double share = 0;  // of the letters, 0..1
};

struct Detected {
  std::vector<LanguageShare> languages;  // at most three, largest share first
  bool reliable = false;  // CLD2's own opinion of the first: far enough ahead of the next
  std::size_t letter_bytes = 0;
};

// Deterministic, thread-safe, linear time. REQUIRES: valid UTF-8 of less than 2 GiB.
Detected DetectLanguages(std::string_view text);

}  // namespace safeguard::languages
