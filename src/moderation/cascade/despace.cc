#include "moderation/cascade/despace.h"

#include "base/unicode/characters.h"
#include "base/utf8.h"

namespace safeguard::moderation {
namespace {

using unicode::Kind;

bool IsAsciiAlnum(char32_t c) {
  return (c >= '0' && c <= '9') || ((c | 0x20U) >= 'a' && (c | 0x20U) <= 'z');
}

Kind KindOf(char32_t c) {
  if (c < 0x80) {
    if (IsAsciiAlnum(c)) {
      return c <= '9' ? Kind::kDigit : Kind::kLetter;
    }
    return c == ' ' || (c >= '\t' && c <= '\r') ? Kind::kSpace : Kind::kPunctuation;
  }
  return unicode::KindOf(c);
}

bool IsAlnum(Kind kind) {
  return kind == Kind::kLetter || kind == Kind::kDigit || kind == Kind::kNumber;
}

bool IsSignLetter(char32_t c) {
  return c == '@' || c == '$' || c == '!' || c == '|';
}

// A letter or digit with nothing of the kind beside it.
struct Single {
  std::size_t begin;
  std::size_t end;  // past its marks
  bool letter;
};

// What stands between two singles, with all spaces but line ends written as ' '. Only the first
// few characters are kept; `length` counts all.
struct Separator {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::u32string signs;
  std::size_t length = 0;

  static constexpr std::size_t kLongest = 3;
  static constexpr std::size_t kLongestGap = 12;
};

class Runs {
 public:
  Runs(std::string_view text, Rewriter& rewriter) : text_(text), rewriter_(rewriter) {}

  void JoinAll() {
    for (std::size_t i = 0; i < text_.size();) {
      const DecodedCodePoint point = DecodeUtf8(text_, i);
      const Kind kind = KindOf(point.value);
      if (!IsAlnum(kind)) {
        i += point.length;
        apostrophe_ = in_word_ && (point.value == '\'' || point.value == 0x2019);
        in_word_ = false;
        continue;
      }
      const std::size_t end = WordEnd(i);
      const bool suffix = apostrophe_;  // the s of "it's" begins no run
      apostrophe_ = false;
      in_word_ = true;
      if (!suffix && IsSingle(i, end)) {
        i = ReadRun({i, end, kind == Kind::kLetter});
      } else {
        i = end;
      }
    }
  }

 private:
  // Past the letters, digits and marks from `at`.
  std::size_t WordEnd(std::size_t at) const {
    while (at < text_.size()) {
      const DecodedCodePoint point = DecodeUtf8(text_, at);
      const Kind kind = KindOf(point.value);
      if (!IsAlnum(kind) && kind != Kind::kMark) {
        break;
      }
      at += point.length;
    }
    return at;
  }

  bool IsSingle(std::size_t begin, std::size_t end) const {
    for (std::size_t i = begin + DecodeUtf8(text_, begin).length; i < end;) {
      const DecodedCodePoint point = DecodeUtf8(text_, i);
      if (KindOf(point.value) != Kind::kMark) {
        return false;
      }
      i += point.length;
    }
    return true;
  }

  Separator ReadSeparator(std::size_t at) const {
    Separator separator{.begin = at, .end = at, .signs = {}};
    while (separator.end < text_.size() && separator.length <= Separator::kLongestGap) {
      const DecodedCodePoint point = DecodeUtf8(text_, separator.end);
      const Kind kind = KindOf(point.value);
      if (IsAlnum(kind)) {
        break;
      }
      const bool space = kind == Kind::kSpace && point.value != '\n' && point.value != '\r';
      separator.signs += space ? U' ' : point.value;
      separator.end += point.length;
      ++separator.length;
    }
    return separator;
  }

  static bool MayJoin(const Separator& separator) {
    const std::u32string& signs = separator.signs;
    if (signs.empty() || separator.length > Separator::kLongest) {
      return false;
    }
    const bool list = signs.find_first_of(U",;") != std::u32string::npos && signs.size() > 1;
    return !list;
  }

  // `gap` is `separator` several times over.
  static bool IsGap(const Separator& gap, const Separator& separator) {
    const std::size_t unit = separator.signs.size();
    if (gap.length > Separator::kLongestGap || gap.length <= unit || gap.length % unit != 0) {
      return false;
    }
    for (std::size_t i = 0; i < gap.length; ++i) {
      if (gap.signs[i] != separator.signs[i % unit]) {
        return false;
      }
    }
    return true;
  }

  // "u $ h": the sign between two separators is a letter of its own.
  static bool HoldsSign(const Separator& around, const Separator& separator) {
    const std::size_t unit = separator.signs.size();
    return around.length == 2 * unit + 1 && IsSignLetter(around.signs[unit]) &&
           around.signs.substr(0, unit) == separator.signs &&
           around.signs.substr(unit + 1) == separator.signs;
  }

  struct Run {
    std::vector<Separator> cuts;  // to be removed, or to become a space
    std::vector<bool> gap;
    std::size_t singles = 1;
    std::size_t letters = 0;
    std::size_t joins = 0;
  };

  // Reads the run that `first` begins, joins it when it is one, and returns where to read on.
  std::size_t ReadRun(Single first) {
    Run run;
    run.letters = first.letter ? 1 : 0;
    Single last = first;
    Separator unit;
    while (true) {
      Separator between = ReadSeparator(last.end);
      const std::size_t begin = between.end;
      if (begin >= text_.size() || between.signs.empty()) {
        break;
      }
      const std::size_t end = WordEnd(begin);
      if (end == begin || !IsSingle(begin, end)) {
        break;
      }
      if (run.singles == 1) {
        unit = between;
        if (!MayJoin(unit)) {
          break;
        }
      }
      if (between.signs == unit.signs) {
        ++run.joins;
        run.gap.push_back(false);
        run.cuts.push_back(std::move(between));
      } else if (IsGap(between, unit)) {
        run.gap.push_back(true);
        run.cuts.push_back(std::move(between));
      } else if (HoldsSign(between, unit)) {
        AddAroundSign(between, run);
      } else {
        break;
      }
      last = {begin, end, KindOf(DecodeUtf8(text_, begin).value) == Kind::kLetter};
      ++run.singles;
      run.letters += last.letter ? 1 : 0;
    }
    const bool word =
        run.singles >= 3 && run.joins >= 2 && run.letters >= 2 && run.letters * 2 >= run.singles;
    if (word) {
      JoinRun(run, first, unit);
    }
    // The last single of a run may begin the next, with another separator.
    return word || run.singles == 1 ? last.end : last.begin;
  }

  void AddAroundSign(const Separator& between, Run& run) const {
    std::size_t sign = between.begin;
    for (std::size_t k = 0; k < (between.length - 1) / 2; ++k) {
      sign += DecodeUtf8(text_, sign).length;
    }
    run.cuts.push_back({.begin = between.begin, .end = sign, .signs = {}});
    run.cuts.push_back({.begin = sign + 1, .end = between.end, .signs = {}});
    run.gap.insert(run.gap.end(), 2, false);
    run.joins += 2;
    ++run.singles;
  }

  void JoinRun(const Run& run, Single first, const Separator& unit) {
    // "$ c a m": a sign before the run is its first letter.
    const std::size_t width = unit.end - unit.begin;
    if (first.begin >= written_ + width + 1 &&
        IsSignLetter(static_cast<unsigned char>(text_[first.begin - width - 1]))) {
      const std::size_t sign = first.begin - width - 1;
      const bool same = text_.substr(sign + 1, width) == text_.substr(unit.begin, width);
      const bool free = sign == 0 || text_[sign - 1] == ' ' || text_[sign - 1] == '\n';
      if (same && free) {
        rewriter_.Replace(sign + 1, first.begin, "");
      }
    }
    for (std::size_t k = 0; k < run.cuts.size(); ++k) {
      rewriter_.Replace(run.cuts[k].begin, run.cuts[k].end, run.gap[k] ? " " : "");
      written_ = run.cuts[k].end;
    }
  }

  std::string_view text_;
  Rewriter& rewriter_;
  bool in_word_ = false;
  bool apostrophe_ = false;
  std::size_t written_ = 0;  // the end of the last edit
};

}  // namespace

std::optional<MappedText> Despace(const MappedText& source) {
  Rewriter rewriter(source);
  Runs(source.text, rewriter).JoinAll();
  return rewriter.Finish();
}

}  // namespace safeguard::moderation
