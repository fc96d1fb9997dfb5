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

  static bool MayJoin(std::u32string_view unit) {
    const bool list = unit.find_first_of(U",;") != std::u32string::npos && unit.size() > 1;
    return unit.size() <= Separator::kLongest && !list;
  }

  // `gap` is `unit` several times over.
  static bool IsGap(const Separator& gap, std::u32string_view unit) {
    if (gap.length > Separator::kLongestGap || gap.length <= unit.size() ||
        gap.length % unit.size() != 0) {
      return false;
    }
    for (std::size_t i = 0; i < gap.length; ++i) {
      if (gap.signs[i] != unit[i % unit.size()]) {
        return false;
      }
    }
    return true;
  }

  // How many signs stand for letters in `around`, each between two of `unit`: "u $ h" has one, "a @
  // $ h" two. 0 when it is anything else.
  static std::size_t SignsWithin(const Separator& around, std::u32string_view unit) {
    const std::size_t step = unit.size() + 1;
    const std::u32string_view signs = around.signs;
    if (around.length > Separator::kLongestGap || !signs.starts_with(unit) ||
        around.length < unit.size() + step || (around.length - unit.size()) % step != 0) {
      return 0;
    }
    for (std::size_t i = unit.size(); i < signs.size(); i += step) {
      if (!IsSignLetter(signs[i]) || signs.substr(i + 1, unit.size()) != unit) {
        return 0;
      }
    }
    return (around.length - unit.size()) / step;
  }

  // What sets the letters of a run apart, from the first separator and the one after the next
  // single: "k ! l l" is set apart by spaces, "a ! b ! c" by signs.
  static std::u32string UnitOf(const Separator& first, const Separator& second) {
    for (std::size_t size = 1; size <= Separator::kLongest && first.signs != second.signs; ++size) {
      const std::u32string unit = first.signs.substr(0, size);
      if (SignsWithin(first, unit) > 0) {
        return unit;
      }
    }
    return first.signs;
  }

  struct Gap {
    std::size_t begin;
    std::size_t end;
    bool gap;  // becomes a space; otherwise nothing
  };

  struct Run {
    std::u32string unit;  // what sets its letters apart
    std::vector<Gap> cuts;
    std::size_t singles = 1;
    std::size_t letters = 0;
    std::size_t joins = 0;
  };

  // Reads the run that `first` begins, joins it when it is one, and returns where to read on.
  std::size_t ReadRun(Single first) {
    Run run;
    run.letters = first.letter ? 1 : 0;
    Single last = first;
    while (true) {
      const Separator between = ReadSeparator(last.end);
      const std::size_t begin = between.end;
      const std::size_t end = begin < text_.size() ? WordEnd(begin) : begin;
      if (between.signs.empty() || end == begin || !IsSingle(begin, end)) {
        break;
      }
      if (run.unit.empty()) {
        run.unit = UnitOf(between, ReadSeparator(end));
      }
      if (!MayJoin(run.unit) || !Cut(between, run)) {
        break;
      }
      last = {begin, end, KindOf(DecodeUtf8(text_, begin).value) == Kind::kLetter};
      ++run.singles;
      run.letters += last.letter ? 1 : 0;
    }
    if (run.singles > 1) {
      AddSignBefore(first.begin, run);
      last.end = AddSignsBehind(last.end, run);
    }
    const bool word =
        run.singles >= 3 && run.joins >= 2 && run.letters >= 2 && run.letters * 2 >= run.singles;
    for (std::size_t k = 0; word && k < run.cuts.size(); ++k) {
      rewriter_.Replace(run.cuts[k].begin, run.cuts[k].end, run.cuts[k].gap ? " " : "");
      written_ = run.cuts[k].end;
    }
    // The last single of a run may begin the next, with another separator.
    return word || run.singles == 1 ? last.end : last.begin;
  }

  // Takes a separator, a gap or signs between separators into the run; false when it is none.
  bool Cut(const Separator& between, Run& run) const {
    const bool one = between.signs == run.unit;
    if (one || IsGap(between, run.unit)) {
      run.joins += one ? 1 : 0;
      run.cuts.push_back({between.begin, between.end, !one});
      return true;
    }
    const std::size_t signs = SignsWithin(between, run.unit);
    std::size_t begin = between.begin;
    for (std::size_t k = 0; k <= signs && signs > 0; ++k) {
      std::size_t end = begin;
      for (std::size_t i = 0; i < run.unit.size(); ++i) {
        end += DecodeUtf8(text_, end).length;
      }
      run.cuts.push_back({begin, end, false});
      begin = end + 1;
    }
    run.joins += signs > 0 ? signs + 1 : 0;
    run.singles += signs;
    return signs > 0;
  }

  // "$ c a m": the sign before the run is its first letter.
  void AddSignBefore(std::size_t first, Run& run) const {
    const std::size_t width = run.cuts.front().end - run.cuts.front().begin;
    if (first < written_ + width + 1) {
      return;
    }
    const std::size_t sign = first - width - 1;
    const bool same = text_.substr(sign + 1, width) == text_.substr(run.cuts.front().begin, width);
    const bool free = sign == 0 || text_[sign - 1] == ' ' || text_[sign - 1] == '\n';
    if (same && free && IsSignLetter(static_cast<unsigned char>(text_[sign]))) {
      run.cuts.insert(run.cuts.begin(), {sign + 1, first, false});
      ++run.joins;
      ++run.singles;
    }
  }

  // "b o $ $": the signs behind it are its last; returns its end.
  std::size_t AddSignsBehind(std::size_t end, Run& run) const {
    const ByteRange unit = {run.cuts.back().begin, run.cuts.back().end};
    const std::string_view apart = text_.substr(unit.first, unit.second - unit.first);
    while (text_.substr(end, apart.size()) == apart) {
      const std::size_t sign = end + apart.size();
      if (sign >= text_.size() || (text_[sign] != '$' && text_[sign] != '@')) {
        break;
      }
      const std::string_view next = text_.substr(sign + 1, apart.size());
      if (!next.empty() && next != apart) {
        break;
      }
      run.cuts.push_back({end, sign, false});
      ++run.joins;
      ++run.singles;
      end = sign + 1;
    }
    return end;
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
