#include <vector>

#include "base/unicode/characters.h"
#include "base/unicode/confusables.h"
#include "base/utf8.h"
#include "moderation/cascade/normalise.h"

namespace safeguard::moderation {
namespace {

using unicode::Kind;
using unicode::Script;

struct Word {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t letters = 0;
  std::size_t latin = 0;
  std::size_t styled = 0;           // of the Latin ones: small capitals and the like
  std::size_t strict = 0;           // letters of other scripts drawn like Latin ones
  std::size_t loose = 0;            // or resembling them
  Script script = Script::kCommon;  // of the first letter that is not Latin
  bool one_script = true;
};

void Count(char32_t c, Word& word) {
  ++word.letters;
  const Script script = c < 0x80 ? Script::kLatin : unicode::ScriptOf(c);
  if (script == Script::kLatin) {
    ++word.latin;
    word.styled += c >= 0x80 && unicode::PlainLatin(c) != '\0' ? 1 : 0;
    return;
  }
  if (word.script == Script::kCommon) {
    word.script = script;
  }
  word.one_script &= script == word.script;
  if (unicode::LatinLookalike(c) != '\0') {
    ++word.strict;
  } else if (unicode::LooseLatinLookalike(c) != '\0') {
    ++word.loose;
  }
}

bool IsAsciiAlnum(unsigned char c) {
  return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

// Signs that stand for letters belong to the word: "ѕс@m" is one.
bool JoinsWord(std::string_view text, std::size_t at, const Word& word) {
  const char c = text[at];
  if (c == '@' || c == '$') {
    return true;
  }
  if ((c != '!' && c != '|') || at == word.begin || at + 1 >= text.size()) {
    return false;
  }
  const char32_t next = DecodeUtf8(text, at + 1).value;
  return unicode::KindOf(next) == Kind::kLetter && !unicode::IsUpper(next);
}

// The word that starts at `at`; empty (end == begin) when none does.
Word ReadWord(std::string_view text, std::size_t at) {
  Word word;
  word.begin = word.end = at;
  while (word.end < text.size()) {
    const auto byte = static_cast<unsigned char>(text[word.end]);
    if (byte < 0x80) {
      if (!IsAsciiAlnum(byte) && !JoinsWord(text, word.end, word)) {
        break;
      }
      if (byte >= 'A' && IsAsciiAlnum(byte)) {
        Count(byte, word);
      }
      ++word.end;
      continue;
    }
    const DecodedCodePoint point = DecodeUtf8(text, word.end);
    const Kind kind = unicode::KindOf(point.value);
    if (kind == Kind::kLetter) {
      Count(point.value, word);
    } else if (kind != Kind::kMark && kind != Kind::kDigit) {
      break;
    }
    word.end += point.length;
  }
  return word;
}

enum class Finding : std::uint8_t { kNothing, kKeep, kRewrite, kAskNeighbours };

Finding Judge(const Word& word) {
  const std::size_t foreign = word.letters - word.latin;
  if (word.letters == 0) {
    return Finding::kNothing;
  }
  if (word.latin > 0) {
    const std::size_t alike = word.strict + word.loose;
    // "μm" and "Δt" are science, not hiding.
    const bool science = word.script == Script::kGreek && word.letters < 3;
    const bool mixed = alike > 0 && !science && (foreign - alike) * 2 <= word.letters;
    const bool styled = word.styled > 0 && word.letters > 1;
    return mixed || styled ? Finding::kRewrite : Finding::kKeep;
  }
  if (word.strict < foreign) {
    return Finding::kKeep;
  }
  return word.one_script ? Finding::kAskNeighbours : Finding::kRewrite;
}

void WriteLatin(std::string_view text, const Word& word, Rewriter& rewriter) {
  for (std::size_t i = word.begin; i < word.end;) {
    const DecodedCodePoint point = DecodeUtf8(text, i);
    char letter = '\0';
    if (point.value >= 0x80) {
      letter = unicode::ScriptOf(point.value) == Script::kLatin
                   ? unicode::PlainLatin(point.value)
                   : unicode::LooseLatinLookalike(point.value);
    }
    if (letter != '\0') {
      rewriter.Replace(i, i + point.length, std::string_view(&letter, 1));
    }
    i += point.length;
  }
}

// Words of nothing but look-alikes wait for the next unambiguous word.
class Waiting {
 public:
  Waiting(std::string_view text, Rewriter& rewriter) : text_(text), rewriter_(rewriter) {}

  void Add(const Word& word) { words_.push_back(word); }

  // An unambiguous word of `script` (kCommon: none, the text ends).
  void Settle(Script script) {
    for (const Word& word : words_) {
      if (word.script != left_ && word.script != script) {
        WriteLatin(text_, word, rewriter_);
      }
    }
    words_.clear();
    left_ = script;
  }

 private:
  std::string_view text_;
  Rewriter& rewriter_;
  std::vector<Word> words_;
  Script left_ = Script::kCommon;
};

}  // namespace

std::optional<MappedText> ResolveLookalikes(const MappedText& source) {
  const std::string_view text = source.text;
  Rewriter rewriter(source);
  Waiting waiting(text, rewriter);
  for (std::size_t i = 0; i < text.size();) {
    const Word word = ReadWord(text, i);
    switch (Judge(word)) {
      case Finding::kNothing:
        break;
      case Finding::kKeep:
        waiting.Settle(word.latin > 0 ? Script::kLatin : word.script);
        break;
      case Finding::kRewrite:
        waiting.Settle(Script::kLatin);
        WriteLatin(text, word, rewriter);
        break;
      case Finding::kAskNeighbours:
        waiting.Add(word);
        break;
    }
    i = word.end > i ? word.end : i + DecodeUtf8(text, i).length;
  }
  waiting.Settle(Script::kCommon);
  return rewriter.Finish();
}

}  // namespace safeguard::moderation
