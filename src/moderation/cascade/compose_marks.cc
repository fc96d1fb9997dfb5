#include "base/unicode/characters.h"
#include "base/unicode/normalize.h"
#include "base/utf8.h"
#include "moderation/cascade/normalise.h"

namespace safeguard::moderation {
namespace {

using unicode::Kind;
using unicode::Script;

bool Within(char32_t c, char32_t first, char32_t last) {
  return c >= first && c <= last;
}

bool IsSelector(char32_t c) {
  return Within(c, 0xFE00, 0xFE0F) || Within(c, 0xE0100, 0xE01EF);
}

// Lines through, over and under a letter, and frames around it.
bool IsDecoration(char32_t c) {
  return Within(c, 0x332, 0x338) || c == 0x305 || c == 0x33F || c == 0x347 ||
         Within(c, 0x20D0, 0x20F0) || c == 0x488 || c == 0x489;
}

bool IsMark(char32_t c) {
  return c >= 0x300 && unicode::KindOf(c) == Kind::kMark;
}

bool Composes(Script script) {
  return script == Script::kLatin || script == Script::kGreek || script == Script::kCyrillic ||
         script == Script::kHiragana || script == Script::kKatakana;
}

struct Marks {
  std::u32string kept;         // base first; at most kMaxMarks marks
  std::size_t any_script = 0;  // marks that fit any script
  std::size_t end = 0;         // in the text
  bool decorated = false;
};

// No orthography writes so many marks on one base, whatever their script.
constexpr std::size_t kMaxMarks = 12;

Marks ReadMarks(std::string_view text, std::size_t at, char32_t base) {
  Marks marks;
  marks.kept.assign(1, base);
  marks.end = at;
  while (marks.end < text.size()) {
    const DecodedCodePoint point = DecodeUtf8(text, marks.end);
    if (!IsMark(point.value)) {
      break;
    }
    marks.end += point.length;
    if (!IsSelector(point.value) && unicode::ScriptOf(point.value) == Script::kInherited) {
      ++marks.any_script;
    }
    marks.decorated |= IsDecoration(point.value);
    if (marks.kept.size() <= kMaxMarks) {
      marks.kept += point.value;
    }
  }
  return marks;
}

// What becomes of a base and its marks.
std::u32string Tidy(const Marks& marks) {
  const char32_t base = marks.kept.front();
  const Script script = unicode::ScriptOf(base);
  const bool own_marks = !Composes(script) && script != Script::kCommon;
  // Arabic and Hebrew write vowels with marks that fit any script, up to three on a letter.
  const bool stacked = marks.any_script > (own_marks ? 4U : 2U);
  std::u32string kept(1, base);
  for (const char32_t mark : marks.kept.substr(1)) {
    const bool decoration = script == Script::kLatin && IsDecoration(mark);
    const bool drop = decoration || (stacked && !IsSelector(mark) &&
                                     unicode::ScriptOf(mark) == Script::kInherited);
    if (!drop) {
      kept += mark;
    }
  }
  return Composes(script) && kept.size() > 1 ? unicode::Nfc(kept) : kept;
}

// The end of a conjoining Hangul syllable that starts at `at`, or `at`.
std::size_t JamoEnd(std::string_view text, std::size_t at) {
  const auto read = [&](std::size_t i) {
    return i < text.size() ? DecodeUtf8(text, i).value : char32_t{0};
  };
  constexpr std::size_t kJamoBytes = 3;
  if (!Within(read(at), 0x1100, 0x1112) || !Within(read(at + kJamoBytes), 0x1161, 0x1175)) {
    return at;
  }
  const bool tail = Within(read(at + 2 * kJamoBytes), 0x11A8, 0x11C2);
  return at + (tail ? 3 : 2) * kJamoBytes;
}

std::string Encode(std::u32string_view points) {
  std::string out;
  for (const char32_t c : points) {
    AppendUtf8(c, out);
  }
  return out;
}

}  // namespace

std::optional<MappedText> ComposeMarks(const MappedText& source) {
  const std::string_view text = source.text;
  Rewriter rewriter(source);
  for (std::size_t i = 0; i < text.size();) {
    // Marks begin at U+0300, whose first byte is CC: ASCII before ASCII has none.
    if (static_cast<unsigned char>(text[i]) < 0x80 && i + 1 < text.size() &&
        static_cast<unsigned char>(text[i + 1]) < 0x80) {
      ++i;
      continue;
    }
    const DecodedCodePoint base = DecodeUtf8(text, i);
    std::size_t end = i + base.length;
    if (const std::size_t jamo = JamoEnd(text, i); jamo > i) {
      std::u32string syllable;
      for (std::size_t k = i; k < jamo; k += 3) {
        syllable += DecodeUtf8(text, k).value;
      }
      end = jamo;
      rewriter.Replace(i, end, Encode(unicode::Nfc(syllable)));
    } else if (end < text.size() && IsMark(DecodeUtf8(text, end).value)) {
      const Marks marks = ReadMarks(text, end, base.value);
      end = marks.end;
      const bool many = marks.any_script > 2 || marks.kept.size() > kMaxMarks;
      if (many || marks.decorated || Composes(unicode::ScriptOf(base.value))) {
        rewriter.Replace(i, end, Encode(Tidy(marks)));
      }
    }
    i = end;
  }
  return rewriter.Finish();
}

}  // namespace safeguard::moderation
