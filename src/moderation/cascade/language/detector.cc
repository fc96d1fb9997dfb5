#include <algorithm>
#include <string>

#include "base/languages/languages.h"
#include "moderation/cascade/language/sample.h"
#include "moderation/cascade/language/scripts.h"
#include "moderation/language_detector.h"

namespace safeguard::moderation {
namespace {

// CLD2 guesses wildly at a few Latin letters ("ok lol"): below this many it is not asked.
constexpr std::size_t kLettersMin = 16;
// From this many on its opinion counts in full.
constexpr std::size_t kLettersEnough = 40;
constexpr double kUnreliable = 0.4;  // never enough for a gate to rely on
constexpr double kPartShareMin = 0.05;
constexpr double kPartBytesMin = 60;

std::string Primary(const std::string& code) {
  return code.substr(0, code.find('-'));
}

class Detector final : public LanguageDetector {
 public:
  LanguageGuess Detect(const Content& content) override {
    const std::string text = language::SampleOf(content);
    const language::ScriptGuess script = language::GuessByScript(text);
    if (script.letters < kLettersMin) {
      return FromScript(script);
    }
    const languages::Detected detected = languages::DetectLanguages(text);
    if (detected.languages.empty()) {
      return FromScript(script);
    }
    LanguageGuess guess;
    guess.language = Primary(detected.languages[0].code);
    const double enough =
        std::min(1.0, static_cast<double>(script.letters) / static_cast<double>(kLettersEnough));
    guess.confidence = detected.reliable
                           ? std::max(kUnreliable, enough * detected.languages[0].share)
                           : kUnreliable * detected.languages[0].share;
    if (script.language == guess.language) {
      guess.confidence = std::max(guess.confidence, script.confidence);
    } else if (!detected.reliable && script.confidence > guess.confidence) {
      return FromScript(script);
    }
    for (const languages::LanguageShare& part : detected.languages) {
      const bool first = &part == detected.languages.data();
      const double bytes = part.share * static_cast<double>(detected.letter_bytes);
      if (first || (part.share >= kPartShareMin && bytes >= kPartBytesMin)) {
        Add(Primary(part.code), part.share, guess.parts);
      }
    }
    return guess;
  }

 private:
  static LanguageGuess FromScript(const language::ScriptGuess& script) {
    LanguageGuess guess{script.language, script.confidence, {}};
    if (!script.language.empty()) {
      guess.parts.push_back({script.language, 1});
    }
    return guess;
  }

  // "zh" and "zh-Hant" are one language here.
  static void Add(const std::string& code, double share, std::vector<LanguagePart>& parts) {
    const auto same = std::ranges::find(parts, code, &LanguagePart::language);
    if (same == parts.end()) {
      parts.push_back({code, share});
    } else {
      same->share += share;
    }
  }
};

}  // namespace

std::unique_ptr<LanguageDetector> MakeLanguageDetector() {
  return std::make_unique<Detector>();
}

}  // namespace safeguard::moderation
