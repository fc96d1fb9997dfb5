#include "base/languages/languages.h"

#include <cld2/public/compact_lang_det.h>
#include <cld2/public/encodings.h>

#include <array>
#include <limits>
#include <utility>

#include "base/check.h"

namespace safeguard::languages {
namespace {

// CLD2 still writes some codes as ISO 639 had them before 1989, and made-up ones ("xx-Copt") for
// scripts without a language of their own.
std::string CodeOf(CLD2::Language language) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kRenamed = {
      {{"iw", "he"}, {"in", "id"}, {"ji", "yi"}, {"jw", "jv"}, {"mo", "ro"}}};
  const std::string_view code = CLD2::LanguageCode(language);
  for (const auto& [before, after] : kRenamed) {
    if (code == before) {
      return std::string(after);
    }
  }
  return code == "un" || code.starts_with("xx") ? std::string() : std::string(code);
}

}  // namespace

Detected DetectLanguages(std::string_view text) {
  CHECK(text.size() <= std::numeric_limits<int>::max());
  constexpr int kBest = 3;
  std::array<CLD2::Language, kBest> languages{};
  std::array<int, kBest> percents{};
  std::array<double, kBest> scores{};
  int letter_bytes = 0;
  bool reliable = false;
  const CLD2::CLDHints no_hints = {nullptr, nullptr, CLD2::UNKNOWN_ENCODING,
                                   CLD2::UNKNOWN_LANGUAGE};
  CLD2::ExtDetectLanguageSummary(text.data(), static_cast<int>(text.size()), true, &no_hints, 0,
                                 languages.data(), percents.data(), scores.data(), nullptr,
                                 &letter_bytes, &reliable);
  Detected detected;
  detected.reliable = reliable;
  detected.letter_bytes = static_cast<std::size_t>(letter_bytes);
  for (std::size_t i = 0; i < languages.size(); ++i) {
    std::string code = CodeOf(languages[i]);
    if (!code.empty() && percents[i] > 0) {
      detected.languages.push_back({std::move(code), percents[i] / 100.0});
    }
  }
  return detected;
}

}  // namespace safeguard::languages
