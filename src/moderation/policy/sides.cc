#include "moderation/policy/sides.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <vector>

#include "moderation/policy/scan.h"
#include "moderation/policy/words.h"

namespace safeguard::moderation::reading {
namespace {

// Words that may stand in a title that is nothing but a side: "What is allowed".
constexpr auto kFillers = std::to_array<std::string_view>(
    {"content", "is", "are", "does", "do", "this", "the", "policy", "if", "when", "example",
     "examples", "what", "s", "label", "strictly", "it", "that", "always"});

constexpr std::size_t kNoWord = static_cast<std::size_t>(-1);

bool IsNegating(std::string_view word) {
  return Contains(NegatingTerms(), word) || word.ends_with("n't");
}

struct WordCue {
  Side side = Side::kNone;
  bool exception = false;
};

WordCue CueOf(std::string_view word, bool weak) {
  if (Contains(ViolatingTerms(), word) || (weak && Contains(WeakViolatingTerms(), word))) {
    return {Side::kViolating, false};
  }
  if (Contains(SafeTerms(), word) || (weak && Contains(WeakSafeTerms(), word))) {
    return {Side::kSafe, false};
  }
  return {Side::kNone, Contains(ExceptionTerms(), word)};
}

// A negation counts for the next cue within three words.
bool IsNegated(const std::vector<std::string>& words, std::size_t at, std::size_t after) {
  const std::size_t from = std::max(at >= 3 ? at - 3 : 0, after);
  return std::any_of(words.begin() + static_cast<std::ptrdiff_t>(from),
                     words.begin() + static_cast<std::ptrdiff_t>(at),
                     [](const std::string& word) { return IsNegating(word); });
}

bool ContainsPiece(std::string_view text, std::span<const std::string_view> pieces) {
  return std::ranges::any_of(pieces, [text](std::string_view piece) {
    return text.find(piece) != std::string_view::npos;
  });
}

Side PieceSide(std::string_view text) {
  // "does not violate" contains "violate", and "not allowed" contains "allowed".
  if (ContainsPiece(text, SafePieces().first(5))) {
    return Side::kSafe;
  }
  if (ContainsPiece(text, ViolatingPieces())) {
    return Side::kViolating;
  }
  return ContainsPiece(text, SafePieces()) ? Side::kSafe : Side::kNone;
}

bool HasNonAscii(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

// "(1)", "(Label: 0)", "(= 1)", "- 0" at the end of a title.
Side EndingDigitSide(std::string_view title) {
  title = Trim(title);
  while (!title.empty() && (title.back() == ':' || title.back() == ')' || title.back() == '`')) {
    title = TrimRight(title.substr(0, title.size() - 1));
  }
  if (title.empty() || (title.back() != '0' && title.back() != '1')) {
    return Side::kNone;
  }
  const Side side = title.back() == '1' ? Side::kViolating : Side::kSafe;
  title = TrimRight(title.substr(0, title.size() - 1));
  if (title.ends_with('`')) {
    title = TrimRight(title.substr(0, title.size() - 1));
  }
  for (const std::string_view opener :
       {"(", "=", "label:", "label", "output:", "output", "->", "→"}) {
    if (title.size() >= opener.size() &&
        EqualsNoCase(title.substr(title.size() - opener.size()), opener)) {
      return side;
    }
  }
  return Side::kNone;
}

// Where the negation stands behind: "verstößt nicht", "نقض نمی‌کند".
bool IsNegatedAfter(const std::vector<std::string>& words, std::size_t at) {
  if (at + 1 >= words.size()) {
    return false;
  }
  const std::string& next = words[at + 1];
  const bool german = (words[at].starts_with("verstöß") || words[at].starts_with("verstoß") ||
                       words[at].starts_with("verletz")) &&
                      (next == "nicht" || next.starts_with("kein"));
  return german || next.starts_with("نمی") || next.starts_with("نیست") || next == "değil";
}

TitleCue WordsCue(const std::vector<std::string>& words, bool weak) {
  TitleCue cue;
  std::size_t last = kNoWord;
  bool violating = false;
  bool safe = false;
  bool exception = false;
  bool exception_to = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if ((words[i] == "to" || words[i] == "from") && exception) {
      exception_to = true;
    }
    const WordCue word = CueOf(words[i], weak);
    exception = exception || word.exception;
    if (word.side == Side::kNone) {
      continue;
    }
    Side side =
        IsNegated(words, i, last == kNoWord ? 0 : last + 1) ? Opposite(word.side) : word.side;
    if (exception_to != IsNegatedAfter(words, i)) {
      side = Opposite(side);
    }
    violating = violating || side == Side::kViolating;
    safe = safe || side == Side::kSafe;
    last = i;
  }
  cue.mixed = violating && safe;
  if (violating != safe) {
    cue.side = violating ? Side::kViolating : Side::kSafe;
  }
  if (exception && last == kNoWord) {
    cue.side = Side::kSafe;
    cue.exception = true;
  }
  return cue;
}

// "Do", "Don't", "You may", "Must not": titles of verbs alone.
Side VerbTitleSide(const std::vector<std::string>& words) {
  if (words.empty() || words.size() > 3) {
    return Side::kNone;
  }
  const std::string& last = words.back();
  const auto verb = [](std::string_view word) {
    return word == "do" || word == "may" || word == "can" || word == "must" || word == "should" ||
           word == "shall";
  };
  if (last == "never" || last == "don't" || last == "mustn't" || last == "cannot" ||
      last == "can't" || (last == "not" && words.size() > 1 && verb(words[words.size() - 2]))) {
    return Side::kViolating;
  }
  const bool may = last == "may" || last == "can";
  return (words.size() == 1 && last == "do") || (may && words.size() == 2 && words[0] == "you")
             ? Side::kSafe
             : Side::kNone;
}

TitleCue WordsCue(const std::vector<std::string>& words) {
  if (const Side side = VerbTitleSide(words); side != Side::kNone) {
    return {side, false, false};
  }
  const TitleCue cue = WordsCue(words, false);
  const bool unknown = cue.side == Side::kNone && !cue.mixed;
  return unknown && words.size() <= 4 ? WordsCue(words, true) : cue;
}

bool HasScopePhrase(const std::vector<std::string>& words, std::string_view first) {
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const bool out = i + 2 < words.size() && words[i + 1] == "of" && words[i + 2] == "scope";
    if (words[i] == first && (words[i + 1] == "scope" || out)) {
      return true;
    }
  }
  return false;
}

// Flags such as S=1, "violation": 1, H2 = 0: any 1 violates, only 0s are safe.
Side FlagSide(std::string_view label) {
  bool zero = false;
  for (std::size_t i = 0; i < label.size(); ++i) {
    if (label[i] != '=' && label[i] != ':') {
      continue;
    }
    const std::string_view value = TrimLeft(label.substr(i + 1));
    const bool ends = value.size() == 1 || (value.size() > 1 && !IsAsciiDigit(value[1]));
    if ((value.starts_with('1') && ends) || value.starts_with("true")) {
      return Side::kViolating;
    }
    zero = zero || (value.starts_with('0') && ends) || value.starts_with("false");
  }
  return zero ? Side::kSafe : Side::kNone;
}

bool IsAuxiliary(std::string_view word) {
  return word == "is" || word == "are" || word == "be" || word == "being" || word == "ist" ||
         word == "sind" || word == "est" || word == "sont" || word == "es" || word == "are";
}

Side ModalSide(const std::vector<std::string>& words, std::size_t i) {
  const std::string& word = words[i];
  if (word == "نباید" || word.ends_with("n't")) {
    return Side::kViolating;
  }
  const std::string_view next = i + 1 < words.size() ? std::string_view(words[i + 1]) : "";
  const std::string_view previous = i > 0 ? std::string_view(words[i - 1]) : "";
  const bool before = previous != "not" && Contains(NegatingTerms(), previous);
  if (IsNegating(next) || before || Contains(AvoidingTerms(), next)) {
    return Side::kViolating;
  }
  // "must state the risks and avoid promises", and Persian, which puts the verb last; but not
  // "must be short to avoid confusion".
  for (std::size_t at = i + 1; at < words.size(); ++at) {
    const bool purpose = words[at - 1] == "to" || words[at - 1] == "pour" ||
                         words[at - 1] == "para" || words[at - 1] == "zu";
    if (Contains(AvoidingTerms(), words[at]) && !purpose && !words[at].ends_with("ing")) {
      return Side::kViolating;
    }
  }
  return Side::kSafe;
}

bool IsVerdictWord(std::string_view word) {
  return word.starts_with("violat") || word.starts_with("prohibit") || word.starts_with("forbid") ||
         word.starts_with("disallow") || word == "banned" || word == "allowed" ||
         word == "permitted" || word == "acceptable" || word == "unacceptable" || word == "safe" ||
         word == "unsafe" || word == "okay" || word == "ok" || word == "fine" ||
         word.starts_with("verboten") || word.starts_with("erlaubt") ||
         word.starts_with("interdit") || word.starts_with("autorisé") || word == "ممنوع" ||
         word == "مجاز";
}

Side SentenceSide(std::string_view clause) {
  const std::vector<std::string> words = Words(clause, 64);
  if (words.empty()) {
    return Side::kNone;
  }
  const std::string& first = words.front();
  const bool negative_order = (first == "do" && words.size() > 1 && words[1] == "not") ||
                              first == "don't" || first == "never" || first == "no" ||
                              Contains(AvoidingTerms(), first);
  if (negative_order) {
    return Side::kViolating;
  }
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (Contains(ModalTerms(), word)) {
      return ModalSide(words, i);
    }
    if ((word == "cannot" || word == "can't") ||
        (word == "can" && i + 1 < words.size() && IsNegating(words[i + 1]))) {
      return Side::kViolating;
    }
    const bool policy_verdict =
        word.starts_with("violat") && i + 2 < words.size() && words[i + 2].starts_with("polic");
    const bool after_auxiliary =
        i > 0 && (IsAuxiliary(words[i - 1]) || IsNegating(words[i - 1]) || words[i - 1] == "a" ||
                  words[i - 1] == "strictly" || words[i - 1] == "considered");
    if (policy_verdict || (IsVerdictWord(word) && after_auxiliary)) {
      const WordCue cue = CueOf(word, true);
      return IsNegated(words, i, 0) ? Opposite(cue.side) : cue.side;
    }
  }
  if (std::ranges::find(words, "ضروری") != words.end()) {
    return Side::kSafe;
  }
  return HasNonAscii(clause) ? PieceSide(clause) : Side::kNone;
}

}  // namespace

Side Opposite(Side side) {
  switch (side) {
    case Side::kViolating:
      return Side::kSafe;
    case Side::kSafe:
      return Side::kViolating;
    case Side::kNone:
      break;
  }
  return Side::kNone;
}

TitleCue ReadTitleCue(std::string_view title) {
  title = Trim(title);
  const std::vector<std::string> words = Words(title);
  TitleCue cue = WordsCue(words);
  if (cue.side == Side::kNone && !cue.mixed) {
    if (HasScopePhrase(words, "out")) {
      cue.side = Side::kSafe;
    } else if (HasScopePhrase(words, "in")) {
      cue.side = Side::kViolating;
    }
  }
  if (cue.side == Side::kNone && !cue.mixed && HasNonAscii(title)) {
    cue.side = PieceSide(title);
  }
  if (cue.side == Side::kNone && !cue.mixed) {
    const bool flags = title.find('=') != std::string_view::npos;
    cue.side = flags ? FlagSide(title) : EndingDigitSide(title);
  }
  if (cue.side == Side::kNone && !cue.mixed) {
    cue.side = LeadingMark(title).side;
  }
  return cue;
}

Side PureCue(std::string_view text) {
  const std::vector<std::string> words = Words(text, 8);
  if (words.empty() || words.size() > 5) {
    return Side::kNone;
  }
  if (const Side side = VerbTitleSide(words); side != Side::kNone) {
    return side;
  }
  const bool pure = std::ranges::all_of(words, [](const std::string& word) {
    return Contains(ViolatingTerms(), word) || Contains(SafeTerms(), word) ||
           Contains(NegatingTerms(), word) || word.ends_with("n't") ||
           Contains(WeakViolatingTerms(), word) || Contains(WeakSafeTerms(), word) ||
           std::ranges::find(kFillers, word) != kFillers.end();
  });
  return pure ? ReadTitleCue(text).side : Side::kNone;
}

bool IsOnlySide(std::string_view title) {
  return PureCue(Trim(title.substr(0, title.find('(')))) != Side::kNone;
}

Side LabelSide(std::string_view label) {
  const std::string plain = StripMarkup(label);
  std::string_view text = Unquote(plain);
  if (const Side side = FlagSide(text); side != Side::kNone) {
    return side;
  }
  const std::string digits = AsciiDigits(text);
  if (!digits.empty() && digits.size() <= 2 && std::ranges::all_of(digits, IsAsciiDigit)) {
    return digits.find_first_not_of('0') == std::string::npos ? Side::kSafe : Side::kViolating;
  }
  const std::vector<std::string> words = Words(text, 24);
  if (words.size() == 1) {
    const std::string& word = words.front();
    if (word == "yes" || word == "true" || word == "violate" || word == "1") {
      return Side::kViolating;
    }
    if (word == "no" || word == "false" || word == "none" || word == "0") {
      return Side::kSafe;
    }
  }
  if (const TitleCue cue = WordsCue(words); cue.side != Side::kNone) {
    return cue.side;
  }
  const bool leading_digit = !words.empty() && (words[0] == "0" || words[0] == "1");
  if (leading_digit) {
    return words[0] == "1" ? Side::kViolating : Side::kSafe;
  }
  if (HasNonAscii(text)) {
    const Side side = PieceSide(text);
    return side == Side::kNone ? LeadingMark(text).side : side;
  }
  return Side::kNone;
}

Side ClauseSide(std::string_view clause) {
  // "It must name sources. It must not guess.": whoever guesses violates it.
  Side side = Side::kNone;
  for (std::size_t begin = 0; begin < clause.size();) {
    const std::size_t stop = std::min(clause.find(". ", begin), clause.size());
    const Side sentence = SentenceSide(clause.substr(begin, stop - begin));
    if (sentence == Side::kViolating) {
      return sentence;
    }
    side = side == Side::kNone ? sentence : side;
    begin = stop + 1;
  }
  return side;
}

Role TitleRole(std::string_view title) {
  const std::vector<std::string> words = Words(title, 14);
  if (words.empty() || words.size() > 12) {
    return Role::kUnknown;
  }
  const auto any = [&words](std::span<const Term> terms) {
    return std::ranges::any_of(words, [terms](const std::string& w) { return Contains(terms, w); });
  };
  const bool edge_case = std::ranges::find(words, "edge") != words.end() ||
                         (words.size() > 1 && words[0] == "test" && words[1].starts_with("case"));
  const bool labels = std::ranges::any_of(
      words, [](const std::string& w) { return w == "label" || w == "labels"; });
  if (any(ExampleTerms()) || edge_case || ContainsPiece(title, ExamplePieces())) {
    return Role::kExamples;
  }
  if ((any(DefinitionTerms()) && !labels) || ContainsPiece(title, DefinitionPieces()) ||
      (words.size() <= 3 && std::ranges::find(words, "terms") != words.end())) {
    return Role::kDefinitions;
  }
  if (any(InstructionTerms()) || ContainsPiece(title, InstructionPieces())) {
    return Role::kInstructions;
  }
  return any(CriteriaTerms()) ? Role::kCriteria : Role::kUnknown;
}

}  // namespace safeguard::moderation::reading
