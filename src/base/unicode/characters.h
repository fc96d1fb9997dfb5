// What ICU knows about one code point, as far as canonical views ask: its kind, its script, and
// whether it is drawn at all. Every function is thread-safe, cheap and needs no opened object.
#pragma once

#include <cstdint>

namespace safeguard::unicode {

enum class Kind : std::uint8_t {
  kLetter,
  kMark,    // combining marks, spacing ones too
  kDigit,   // decimal digits of any script
  kNumber,  // other numbers: Roman numerals, circled digits, fractions
  kSpace,   // White_Space, line ends included
  kPunctuation,
  kSymbol,
  kOther,  // controls, format characters, unassigned
};

Kind KindOf(char32_t code_point);

// Unicode script codes with ICU's numbers; the ones not named here are valid values too.
enum class Script : std::int32_t {
  kCommon = 0,
  kInherited = 1,
  kArabic = 2,
  kArmenian = 3,
  kBengali = 4,
  kCyrillic = 8,
  kDevanagari = 10,
  kGeorgian = 12,
  kGreek = 14,
  kGujarati = 15,
  kGurmukhi = 16,
  kHan = 17,
  kHangul = 18,
  kHebrew = 19,
  kHiragana = 20,
  kKannada = 21,
  kKatakana = 22,
  kKhmer = 23,
  kLao = 24,
  kLatin = 25,
  kMalayalam = 26,
  kMongolian = 27,
  kMyanmar = 28,
  kSinhala = 33,
  kTamil = 35,
  kTelugu = 36,
  kThai = 38,
};

Script ScriptOf(char32_t code_point);

// Scripts in which a zero-width joiner or non-joiner between letters is spelling (Arabic, the
// scripts of India and South-East Asia, Mongolian), not hiding.
bool JoinersCarryMeaning(Script script);

// Default_Ignorable_Code_Point: not drawn by any reader's software.
bool IsIgnorable(char32_t code_point);

// Emoji and other pictographs; the ASCII digits and signs that only begin keycaps are not.
bool IsPictograph(char32_t code_point);

bool IsUpper(char32_t code_point);

}  // namespace safeguard::unicode
