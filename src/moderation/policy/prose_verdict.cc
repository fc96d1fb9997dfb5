#include "moderation/policy/prose_verdict.h"

#include <algorithm>
#include <array>
#include <string>

#include "moderation/policy/prose_words.h"
#include "moderation/policy/scan.h"
#include "moderation/policy/sides.h"
#include "moderation/policy/words.h"

namespace safeguard::moderation::reading {

bool InList(std::span<const std::string_view> list, std::string_view word) {
  return std::ranges::find(list, word) != list.end();
}

bool Negates(std::string_view word) {
  return Contains(NegatingTerms(), word) || word.ends_with("n't") || word == "without" ||
         word == "nobody" || word == "nothing" || word == "can't" || word == "sin" ||
         word == "ohne" || word == "sans";
}

bool StandsAt(const WordList& words, std::size_t at, std::string_view phrase) {
  while (!phrase.empty()) {
    const std::size_t space = std::min(phrase.find(' '), phrase.size());
    const std::string_view word = phrase.substr(0, space);
    phrase.remove_prefix(std::min(space + 1, phrase.size()));
    if (at >= words.size()) {
      return false;
    }
    const bool same = word.ends_with('*') ? words[at].starts_with(word.substr(0, word.size() - 1))
                                          : words[at] == word;
    if (!same) {
      return false;
    }
    ++at;
  }
  return true;
}

bool HasPhrase(const WordList& words, std::span<const std::string_view> phrases) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    for (const std::string_view phrase : phrases) {
      if (StandsAt(words, i, phrase)) {
        return true;
      }
    }
  }
  return false;
}

namespace {

// A negation up to three words before, or "nothing" anywhere before.
bool Negated(const WordList& words, std::size_t at) {
  if (at > 0 && (words[0] == "nothing" || words[0] == "nobody")) {
    return true;
  }
  for (std::size_t i = at >= 3 ? at - 3 : 0; i < at; ++i) {
    if (Negates(words[i])) {
      return true;
    }
  }
  return false;
}

// "remove ..." as an order: at the beginning, or behind "please", "we", "must"; not in "how to
// remove" or "wants to block".
bool IsOrder(const WordList& words, std::size_t at) {
  if (at == 0) {
    return true;
  }
  const std::string& before = words[at - 1];
  if (before == "to") {
    constexpr std::array<std::string_view, 12> asks = {"us",    "you",   "need", "needs",
                                                       "have",  "has",   "is",   "are",
                                                       "going", "ought", "team", "moderators"};
    return at >= 2 && InList(asks, words[at - 2]);
  }
  return InList(OrderLeads(), before);
}

// "removed" behind "is", "gets", "will get your post": up to `reach` words before.
bool IsPassive(const WordList& words, std::size_t at, std::size_t reach) {
  for (std::size_t i = at >= reach ? at - reach : 0; i < at; ++i) {
    if (InList(Auxiliaries(), words[i]) || words[i].ends_with("n't")) {
      return true;
    }
  }
  return false;
}

struct Verdict {
  Side side = Side::kNone;
  bool order = false;  // the side of an order, whose negation is no mere "not"
};

Verdict VerdictAt(const WordList& words, std::size_t at) {
  for (const Side side : {Side::kViolating, Side::kSafe}) {
    for (const std::string_view phrase :
         side == Side::kViolating ? ViolatingPhrases() : SafePhrases()) {
      if (StandsAt(words, at, phrase)) {
        const bool own = phrase.starts_with("no") || phrase.starts_with("doesn't") ||
                         phrase.starts_with("don't");  // holds its negation itself
        return {!own && Negated(words, at) ? Opposite(side) : side};
      }
    }
  }
  const std::string& word = words[at];
  constexpr std::array<std::string_view, 6> labels = {"label",  "answer", "return",
                                                      "output", "mark",   "score"};
  if (InList(labels, word)) {
    for (std::size_t next = at + 1; next < std::min(at + 3, words.size()); ++next) {
      if (words[next] == "1" || words[next] == "0") {
        return {words[next] == "1" ? Side::kViolating : Side::kSafe, true};
      }
    }
  }
  if (InList(ViolatingOrders(), word) && IsOrder(words, at)) {
    return {Negated(words, at) ? Side::kSafe : Side::kViolating, true};
  }
  if (InList(SafeOrders(), word) && IsOrder(words, at)) {
    // "Don't touch": nothing is to be done.
    const bool touch = word == "touch";
    const bool negated = Negated(words, at);
    return {
        touch ? (negated ? Side::kSafe : Side::kNone) : (negated ? Side::kViolating : Side::kSafe),
        true};
  }
  if (InList(ViolatingParticiples(), word) && IsPassive(words, at, 4)) {
    return {Negated(words, at) ? Side::kSafe : Side::kViolating};
  }
  if (InList(SafeParticiples(), word) && IsPassive(words, at, 2)) {
    return {Negated(words, at) ? Side::kViolating : Side::kSafe};
  }
  return {};
}

// "Don't post ...", "must not ...", "No ads": prohibitions without a verdict.
bool Prohibits(const WordList& words) {
  if (words.empty()) {
    return false;
  }
  const std::string& first = words.front();
  const bool order = first == "no" || first == "never" || first == "don't" || first == "nada" ||
                     first == "aucun" || first == "aucune" || first.starts_with("kein") ||
                     (first == "do" && words.size() > 1 && words[1] == "not") ||
                     (first == "pas" && words.size() > 1 && words[1].starts_with("de"));
  if (order && words.size() > 1) {
    return true;
  }
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const bool modal =
        Contains(ModalTerms(), word) || word == "can" || word == "will" || word == "to";
    const bool not_follows = i + 1 < words.size() && Negates(words[i + 1]);
    if (word == "mustn't" || word == "shouldn't" || word == "cannot" || word == "can't" ||
        (modal && not_follows) || (word == "not" && i + 1 < words.size() && words[i + 1] == "to")) {
      return true;
    }
    if (word == "darf" && HasPhrase(words, std::array<std::string_view, 2>{"nicht", "niemand"})) {
      return true;
    }
  }
  return false;
}

// "We don't host ...", "nobody wants ...".
bool Unwanted(const WordList& words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!Negates(words[i]) || words[i] == "without") {
      continue;
    }
    for (std::size_t next = i + 1; next < std::min(i + 3, words.size()); ++next) {
      if (InList(UnwantedVerbs(), words[next])) {
        return true;
      }
    }
  }
  return false;
}

// "People may talk about ...".
bool Permits(const WordList& words) {
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string_view next = i + 1 < words.size() ? std::string_view(words[i + 1]) : "";
    constexpr std::array<std::string_view, 12> acts = {"be",   "post",    "ask",     "share",
                                                       "talk", "discuss", "stay",    "remain",
                                                       "say",  "write",   "mention", "keep"};
    if ((words[i] == "may" && !Negates(next)) || (words[i] == "can" && InList(acts, next)) ||
        InList(std::array<std::string_view, 8>{"darf", "dürfen", "peut", "peuvent", "pouvez",
                                               "puede", "pueden", "podéis"},
               words[i])) {
      return true;
    }
  }
  return false;
}

// "The bot should swat it", "must hand over to a human": whatever it is, something is done.
bool MustAct(const WordList& words) {
  constexpr std::array<std::string_view, 10> actors = {
      "bot",  "moderator", "moderators", "mods",    "staff",
      "team", "we",        "assistant",  "support", "you"};
  for (std::size_t i = 1; i < words.size(); ++i) {
    if ((words[i] == "must" || words[i] == "should" || words[i] == "shall") &&
        InList(actors, words[i - 1])) {
      return true;
    }
  }
  return false;
}

// What stands in quotation marks is said by others.
std::string WithoutQuotes(std::string_view text) {
  std::string kept;
  bool closes = true;  // one mark that nothing closes, and none is looked for again
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t mark = text[i] == '\'' || !closes ? 0 : QuoteBytes(text.substr(i));
    if (mark == 0) {
      kept += text[i++];
      continue;
    }
    std::size_t close = i + mark;
    std::size_t bytes = 0;
    while (close < text.size() && bytes == 0) {
      const std::string_view rest = text.substr(close);
      bytes = rest[0] == '"'                                             ? 1
              : rest.starts_with("\u201D") || rest.starts_with("\u201C") ? 3
              : rest.starts_with("\u00BB")                               ? 2
                                                                         : 0;
      close += bytes == 0 ? 1 : bytes;
    }
    closes = bytes > 0;
    kept += ' ';
    i = closes ? close : i + mark;
  }
  return kept;
}

// "No, those break the terms": the "no" answers a question and denies nothing.
std::string WithoutAnswer(std::string text) {
  const std::string_view trimmed = Trim(text);
  for (const std::string_view answer : {"no,", "yes,", "nope,", "well,", "a: no,", "a: yes,"}) {
    if (trimmed.size() > answer.size() && EqualsNoCase(trimmed.substr(0, answer.size()), answer)) {
      return std::string(trimmed.substr(answer.size()));
    }
  }
  return text;
}

// An order or an answer behind a colon or a sign: "Lenient: let everything through", "ads = nuke",
// "refunds: yes".
Side SideBehindColon(std::string_view text) {
  for (std::size_t at = 1; at + 2 < text.size(); ++at) {
    const bool sign = text[at] == ':' || text[at] == '=' || text[at] == '>';
    if (!sign || text[at + 1] != ' ') {
      continue;
    }
    const WordList words = Words(text.substr(at + 2), 4);
    if (words.size() == 1 && (words[0] == "yes" || words[0] == "no")) {
      return words[0] == "yes" ? Side::kSafe : Side::kViolating;
    }
    const Verdict verdict = words.empty() ? Verdict{} : VerdictAt(words, 0);
    if (verdict.order) {
      return verdict.side;
    }
  }
  return Side::kNone;
}

}  // namespace

Side ProseSide(std::string_view clause) {
  const std::string text = WithoutAnswer(WithoutQuotes(clause));
  const WordList words = Words(text, kProseWordsMax);
  Side side = Side::kNone;
  const bool conditional = !words.empty() && (words[0] == "if" || words[0] == "when" ||
                                              words[0] == "whenever" || words[0] == "should");
  for (std::size_t i = 0; i < words.size(); ++i) {
    const Verdict verdict = VerdictAt(words, i);
    if (verdict.side != Side::kNone) {
      side = verdict.side;
      if (!conditional) {
        return side;  // of an "if" the last: "if posts are allowed elsewhere, remove them"
      }
    }
  }
  if (side == Side::kNone) {
    side = SideBehindColon(text);
  }
  if (side == Side::kNone && std::ranges::find(words, "bitte") != words.end() &&
      std::ranges::any_of(
          words, [](const std::string& word) { return InList(ViolatingOrders(), word); })) {
    side = Side::kViolating;  // German puts it last
  }
  if (side != Side::kNone) {
    return side;
  }
  if (Prohibits(words)) {
    return Side::kViolating;
  }
  if (Permits(words)) {
    return Side::kSafe;
  }
  if (Unwanted(words)) {
    return Side::kViolating;
  }
  if (MustAct(words)) {
    return Side::kViolating;
  }
  if (const Side required = ClauseSide(text); required != Side::kNone) {
    return required;
  }
  const TitleCue cue = ReadTitleCue(text);
  return cue.mixed || words.size() < 4 ? Side::kNone : cue.side;
}

}  // namespace safeguard::moderation::reading
