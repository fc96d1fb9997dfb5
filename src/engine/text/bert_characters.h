// What single characters are to BERT's tokenizer. The reference (Hugging Face tokenizers 0.23)
// takes its categories from Unicode 8.0, its normalisation from Unicode 9.0 and its lower-casing
// from Unicode 17: characters that came later are plain letters to it, whatever they are today.
// The same versions are reproduced here on top of whatever ICU is installed. Thread-safe.
#pragma once

#include <cstdint>

#include "base/unicode/properties.h"

namespace safeguard::engine {

// Dropped by `clean_text`: U+0000, U+FFFD and the categories Cc, Cf, Co, except \t \n \r.
bool IsBertControl(char32_t c);
// A word of its own: ASCII punctuation and symbols, and the categories P*.
bool IsBertPunctuation(char32_t c);
// Dropped by `strip_accents`: category Mn.
bool IsBertAccent(char32_t c);
// Set apart by `handle_chinese_chars`: the CJK ideographs; not kana, not hangul. The reference
// begins Extension E at U+2B920 where the block begins at U+2B820, and so do we.
bool IsBertIdeograph(char32_t c);

unicode::CodePoints BertDecomposition(char32_t c);
std::uint8_t BertCombiningClass(char32_t c);
unicode::CodePoints BertLower(char32_t c);

}  // namespace safeguard::engine
