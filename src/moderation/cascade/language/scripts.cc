#include "moderation/cascade/language/scripts.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/unicode/characters.h"
#include "base/utf8.h"

namespace safeguard::moderation::language {
namespace {

using unicode::Script;

// Scripts that one language alone, or nearly, is written in today.
struct Own {
  Script script;
  const char* language;
  double confidence;
};
constexpr auto kOwn =
    std::to_array<Own>({{Script::kArmenian, "hy", 0.95},  {Script::kBengali, "bn", 0.8},
                        {Script::kGeorgian, "ka", 0.9},   {Script::kGreek, "el", 0.9},
                        {Script::kGujarati, "gu", 0.95},  {Script::kGurmukhi, "pa", 0.95},
                        {Script::kHan, "zh", 0.7},        {Script::kHangul, "ko", 0.95},
                        {Script::kHebrew, "he", 0.9},     {Script::kHiragana, "ja", 0.95},
                        {Script::kKannada, "kn", 0.95},   {Script::kKatakana, "ja", 0.95},
                        {Script::kKhmer, "km", 0.95},     {Script::kLao, "lo", 0.95},
                        {Script::kMalayalam, "ml", 0.95}, {Script::kMyanmar, "my", 0.9},
                        {Script::kSinhala, "si", 0.95},   {Script::kTamil, "ta", 0.95},
                        {Script::kTelugu, "te", 0.95},    {Script::kThai, "th", 0.95}});

// Scripts of several languages: the commonest, but for letters that give another away.
struct Shared {
  Script script;
  const char* language;
  std::array<std::pair<std::u32string_view, const char*>, 3> telltales;
};
constexpr auto kShared = std::to_array<Shared>(
    {{Script::kCyrillic, "ru", {{{U"іїєґ", "uk"}, {U"ђћџјљњ", "sr"}, {U"ў", "be"}}}},
     {Script::kArabic, "ar", {{{U"ٹڈڑںے", "ur"}, {U"پچژگ", "fa"}, {U"", ""}}}},
     {Script::kDevanagari, "hi", {{{U"ळ", "mr"}, {U"", ""}, {U"", ""}}}}});
constexpr double kSharedConfidence = 0.5;
constexpr double kMost = 0.6;

char32_t Lower(char32_t c) {
  return c >= 0x400 && c <= 0x40F ? c + 0x50 : c >= 0x410 && c <= 0x42F ? c + 0x20 : c;
}

}  // namespace

ScriptGuess GuessByScript(std::string_view text) {
  std::map<Script, std::size_t> counts;
  std::map<char32_t, std::size_t> points;  // of shared scripts: a few dozen
  ScriptGuess guess;
  for (std::size_t at = 0; at < text.size();) {
    const DecodedCodePoint point = DecodeUtf8(text, at);
    at += point.length;
    if (unicode::KindOf(point.value) == unicode::Kind::kLetter) {
      const Script script = unicode::ScriptOf(point.value);
      ++counts[script];
      ++guess.letters;
      if (std::ranges::find(kShared, script, &Shared::script) != kShared.end()) {
        ++points[Lower(point.value)];
      }
    }
  }
  const std::size_t kana = counts[Script::kHiragana] + counts[Script::kKatakana];
  if (kana > 0 && kana * 10 >= counts[Script::kHan]) {  // Chinese has none
    counts[Script::kHiragana] += counts[Script::kHan] + counts[Script::kKatakana];
    counts[Script::kHan] = counts[Script::kKatakana] = 0;
  }
  const auto most =
      std::ranges::max_element(counts, {}, &std::map<Script, std::size_t>::value_type::second);
  if (guess.letters == 0 ||
      static_cast<double>(most->second) < kMost * static_cast<double>(guess.letters)) {
    return guess;
  }
  if (const auto own = std::ranges::find(kOwn, most->first, &Own::script); own != kOwn.end()) {
    guess.language = own->language;
    guess.confidence = own->confidence;
  }
  if (const auto shared = std::ranges::find(kShared, most->first, &Shared::script);
      shared != kShared.end()) {
    guess.language = shared->language;
    guess.confidence = kSharedConfidence;
    for (const auto& [letters, language] : shared->telltales) {
      if (std::ranges::any_of(letters, [&](char32_t c) { return points.contains(c); })) {
        guess.language = language;
        break;
      }
    }
  }
  return guess;
}

}  // namespace safeguard::moderation::language
