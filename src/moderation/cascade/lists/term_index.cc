#include "moderation/cascade/lists/term_index.h"

#include <algorithm>
#include <utility>

#include "base/unicode/characters.h"
#include "base/unicode/normalize.h"
#include "base/utf8.h"
#include "moderation/cascade/fold.h"

namespace safeguard::moderation::lists {
namespace {

bool InWord(char32_t c) {
  const unicode::Kind kind = unicode::KindOf(c);
  return kind == unicode::Kind::kLetter || kind == unicode::Kind::kMark ||
         kind == unicode::Kind::kDigit || kind == unicode::Kind::kNumber;
}

bool WithoutSpaces(char32_t c) {
  switch (unicode::ScriptOf(c)) {
    case unicode::Script::kHan:
    case unicode::Script::kHiragana:
    case unicode::Script::kKatakana:
    case unicode::Script::kHangul:
    case unicode::Script::kThai:
    case unicode::Script::kLao:
    case unicode::Script::kKhmer:
    case unicode::Script::kMyanmar:
      return true;
    default:
      return false;
  }
}

char32_t Before(std::string_view text, std::size_t at) {
  do {
    --at;
  } while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80);
  return DecodeUtf8(text, at).value;
}

bool Bounds(char32_t left, char32_t right) {
  return !InWord(left) || !InWord(right) || WithoutSpaces(left) || WithoutSpaces(right);
}

// Spans that hits may lie within.
class Spans {
 public:
  void Add(std::size_t begin, std::size_t end) { spans_.emplace_back(begin, end); }

  // Call once, before Cover: afterwards each span ends where the furthest one that begins no later
  // ends, which covers the same.
  void Sort() {
    std::ranges::sort(spans_);
    for (std::size_t i = 1; i < spans_.size(); ++i) {
      spans_[i].second = std::max(spans_[i].second, spans_[i - 1].second);
    }
  }

  [[nodiscard]] bool Cover(std::size_t begin, std::size_t end) const {
    const auto after =
        std::ranges::upper_bound(spans_, begin, {}, &std::pair<std::size_t, std::size_t>::first);
    return after != spans_.begin() && (after - 1)->second >= end;
  }

 private:
  std::vector<std::pair<std::size_t, std::size_t>> spans_;
};

}  // namespace

std::string TermLiteral(std::string_view term) {
  std::u32string points;
  for (std::size_t at = 0; at < term.size();) {
    const DecodedCodePoint point = DecodeUtf8(term, at);
    points += point.value;
    at += point.length;
  }
  std::string composed;
  for (const char32_t c : unicode::Nfc(points)) {
    AppendUtf8(c, composed);
  }
  return FoldedTrimmed(composed);
}

bool StandsAs(TermMatch match, std::string_view text, std::size_t begin, std::size_t end) {
  const bool ask_left = match == TermMatch::kWord || match == TermMatch::kPrefix;
  const bool ask_right = match == TermMatch::kWord || match == TermMatch::kSuffix;
  if (ask_left && begin > 0 && !Bounds(Before(text, begin), DecodeUtf8(text, begin).value)) {
    return false;
  }
  return !ask_right || end == text.size() || Bounds(Before(text, end), DecodeUtf8(text, end).value);
}

Result<std::unique_ptr<TermIndex>> TermIndex::Compile(const std::vector<Term>& terms) {
  auto index = std::make_unique<TermIndex>();
  std::vector<std::string> literals;
  std::vector<std::string> allowed;
  for (const Term& term : terms) {
    (term.allows ? index->allows_ : index->terms_).push_back({term.match, term.entry});
    (term.allows ? allowed : literals).push_back(TermLiteral(term.value));
  }
  for (const auto& [texts, set] :
       {std::pair(&literals, &index->term_set_), std::pair(&allowed, &index->allow_set_)}) {
    Result<std::unique_ptr<patterns::LiteralSet>> compiled = patterns::LiteralSet::Compile(*texts);
    if (!compiled) {
      return std::unexpected(compiled.error());
    }
    *set = std::move(*compiled);
  }
  return index;
}

Status TermIndex::Find(
    std::string_view folded, const std::function<bool(std::uint32_t)>& counts,
    const std::function<void(std::uint32_t, std::size_t, std::size_t)>& hit) const {
  Spans allowed;
  const Status scanned =
      allow_set_->Scan(folded, [&](std::size_t i, std::size_t begin, std::size_t end) {
        if (counts(allows_[i].entry) && StandsAs(allows_[i].match, folded, begin, end)) {
          allowed.Add(begin, end);
        }
      });
  if (!scanned) {
    return scanned;
  }
  allowed.Sort();
  return term_set_->Scan(folded, [&](std::size_t i, std::size_t begin, std::size_t end) {
    if (counts(terms_[i].entry) && StandsAs(terms_[i].match, folded, begin, end) &&
        !allowed.Cover(begin, end)) {
      hit(terms_[i].entry, begin, end);
    }
  });
}

}  // namespace safeguard::moderation::lists
