#include "judges/dedicated/feature_text.h"

#include "base/unicode/characters.h"
#include "base/unicode/properties.h"
#include "base/utf8.h"

namespace safeguard::judges {
namespace {

constexpr std::size_t kWordBytesMax = 100;

bool StandsAlone(char32_t c, unicode::Kind kind) {
  if (kind == unicode::Kind::kLetter) {
    const unicode::Script script = unicode::ScriptOf(c);
    return script == unicode::Script::kHan || script == unicode::Script::kHiragana ||
           script == unicode::Script::kKatakana;
  }
  return kind == unicode::Kind::kPunctuation || kind == unicode::Kind::kSymbol ||
         kind == unicode::Kind::kNumber;
}

}  // namespace

std::string FeatureText(std::string_view text) {
  std::string out;
  std::size_t word = 0;  // bytes of the word being written
  const auto space = [&out, &word] {
    if (word > 0) {
      out += ' ';
      word = 0;
    }
  };
  for (std::size_t at = 0; at < text.size();) {
    const DecodedCodePoint point = DecodeUtf8(text, at);
    at += point.length;
    const unicode::Kind kind = unicode::KindOf(point.value);
    if (kind == unicode::Kind::kSpace) {
      space();
      continue;
    }
    if (kind == unicode::Kind::kOther || unicode::IsIgnorable(point.value)) {
      continue;
    }
    const bool alone = StandsAlone(point.value, kind);
    if (alone || word >= kWordBytesMax) {
      space();
    }
    const std::size_t before = out.size();
    for (const char32_t lower : unicode::ToLower(point.value)) {
      AppendUtf8(lower, out);
    }
    word += out.size() - before;
    if (alone) {
      space();
    }
  }
  if (!out.empty() && out.back() == ' ') {
    out.pop_back();
  }
  return out;
}

}  // namespace safeguard::judges
