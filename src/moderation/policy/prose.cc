#include "moderation/policy/prose.h"

#include <algorithm>
#include <array>
#include <string>

#include "moderation/policy/prose_verdict.h"
#include "moderation/policy/prose_words.h"
#include "moderation/policy/scan.h"

namespace safeguard::moderation::reading {
namespace {

// "..., does not", "T0 is not".
bool EndsContrary(const WordList& words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool no = words[i] == "don't" || words[i] == "doesn't" || words[i] == "isn't" ||
                    words[i] == "aren't" || words[i] == "won't" ||
                    (words[i] == "not" && i > 0 &&
                     (words[i - 1] == "do" || words[i - 1] == "does" || words[i - 1] == "is" ||
                      words[i - 1] == "are" || words[i - 1] == "will" || words[i - 1] == "if" ||
                      words[i - 1] == "shall" || words[i - 1] == "should"));
    const bool last = i + 1 == words.size() || words[i + 1] == "even" || words[i + 1] == "however";
    if (no && last) {
      return true;
    }
  }
  return false;
}

// "Anything that isn't ...", "Whatever is not ...".
bool NegativeRelative(const WordList& words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    constexpr std::array<std::string_view, 20> wide = {
        "anything", "everything", "whatever", "all",     "any",  "every",    "alles",
        "tout",     "todo",       "if",       "posts",   "post", "messages", "message",
        "comments", "replies",    "reply",    "whoever", "si",   "wenn"};
    if (!InList(wide, word)) {
      continue;
    }
    const bool condition = word == "if" || word == "si" || word == "wenn";
    for (std::size_t next = i + 1; next < std::min(i + 6, words.size()); ++next) {
      if (condition && Negates(words[next])) {
        return true;
      }
      constexpr std::array<std::string_view, 6> nots = {"not",     "isn't", "aren't",
                                                        "doesn't", "don't", "nicht"};
      constexpr std::array<std::string_view, 9> relatives = {"that", "which", "who", "is",    "are",
                                                             "does", "do",    "was", "that's"};
      if (InList(nots, words[next]) && InList(relatives, words[next - 1])) {
        return true;
      }
    }
  }
  return false;
}

// "Comments that don't will be struck out".
bool EllipticRelative(const WordList& words) {
  constexpr std::array<std::string_view, 8> nots = {"don't", "doesn't", "isn't",  "aren't",
                                                    "not",   "won't",   "didn't", "haven't"};
  constexpr std::array<std::string_view, 12> next = {
      "will", "are", "is", "get", "gets", "must", "should", "shall", "violate", "go", "can", "may"};
  for (std::size_t i = 1; i + 1 < words.size(); ++i) {
    const bool relative = words[i - 1] == "that" || words[i - 1] == "which" ||
                          words[i - 1] == "who" || words[i - 1] == "do" || words[i - 1] == "does";
    if (relative && InList(nots, words[i]) && InList(next, words[i + 1])) {
      return true;
    }
  }
  return false;
}

// Without what follows "however", "even": "any other subject, however harmless".
WordList WithoutConcession(WordList words) {
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "however" || words[i] == "even" || words[i] == "regardless" ||
        words[i] == "including" || words[i] == "includes" ||
        (words[i] == "no" && i + 1 < words.size() && words[i + 1] == "matter")) {
      words.resize(i);
      break;
    }
  }
  return words;
}

std::size_t NamingWords(const WordList& words) {
  return static_cast<std::size_t>(
      std::ranges::count_if(words, [](const std::string& word) { return !NamesNothing(word); }));
}

// `lone`: the text is all that there is; a sentence of prose may name a little besides.
bool IsRest(const WordList& all, bool lone) {
  const WordList words = WithoutConcession(all);
  const std::size_t naming = NamingWords(words);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool listed = i > 0 && (words[i - 1] == "and" || words[i - 1] == "or");
    for (const std::string_view phrase : RestPhrases()) {
      // "Insults and any other abuse" names what it is about.
      const std::size_t most = lone ? 0 : listed ? 2 : 5;
      if (StandsAt(words, i, phrase) &&
          (naming <= most || (i <= 2 && !(lone && (listed || naming > 3))))) {
        return true;
      }
    }
  }
  return NegativeRelative(words) && naming == 0;
}

bool Points(const WordList& words) {
  for (std::size_t at = 0; at + 1 < std::min<std::size_t>(words.size(), 10); ++at) {
    if (words[at] == "such" && words[at + 1] != "as") {
      return true;
    }
  }
  constexpr std::array<std::string_view, 12> fillers = {
      "and", "so", "please", "in", "a", "q", "pls", "always", "for", "we", "if", "as"};
  std::size_t i = 0;
  while (i < words.size() && i < 3 && !InList(PointingWords(), words[i]) &&
         InList(fillers, words[i])) {
    ++i;
  }
  return i < words.size() && InList(PointingWords(), words[i]);
}

bool IsAbbreviation(std::string_view before) {
  const std::size_t space = before.rfind(' ');
  const std::string_view word = before.substr(space == std::string_view::npos ? 0 : space + 1);
  constexpr std::array<std::string_view, 12> known = {"e.g", "i.e", "etc",  "vs", "approx", "z.B",
                                                      "d.h", "bzw", "p.ex", "cf", "Mr",     "Dr"};
  return std::ranges::any_of(known, [word](std::string_view one) {
    return EqualsNoCase(word, one) || EqualsNoCase(word, std::string("(") + std::string(one));
  });
}

// One past the sentence that begins at `at`.
std::size_t SentenceEnd(std::string_view text, std::size_t at) {
  for (std::size_t i = at; i < text.size(); ++i) {
    if (text.substr(i).starts_with("。")) {
      return i + 3;
    }
    if (text[i] != '.' && text[i] != '!' && text[i] != '?') {
      continue;
    }
    const bool ends = i + 1 == text.size() || text[i + 1] == ' ';
    if (ends && (text[i] != '.' || !IsAbbreviation(text.substr(at, i - at)))) {
      return i + 1;
    }
  }
  return text.size();
}

bool StartsWithWords(std::string_view text, std::string_view phrase) {
  return text.size() > phrase.size() && EqualsNoCase(text.substr(0, phrase.size()), phrase) &&
         (text[phrase.size()] == ' ' || text[phrase.size()] == ',' || text[phrase.size()] == ':');
}

enum class Joint { kNone, kContrast, kException };

// What begins at `at` of a sentence, behind a space.
Joint JointAt(std::string_view sentence, std::size_t at) {
  const std::string_view rest = sentence.substr(at);
  for (const std::string_view lead : ExceptionLeads()) {
    if (StartsWithWords(rest, lead)) {
      return Joint::kException;
    }
  }
  constexpr std::array<std::string_view, 6> rests = {"and everything", "and anything",
                                                     "and the rest",   "everything else",
                                                     "anything else",  "and whatever"};
  for (const std::string_view lead : rests) {
    if (StartsWithWords(rest, lead) && at >= 2 && sentence[at - 2] == ',') {
      return Joint::kContrast;
    }
  }
  for (const std::string_view lead : ContrastLeads()) {
    if (StartsWithWords(rest, lead) && at >= 2 && sentence[at - 2] == ',') {
      return Joint::kContrast;
    }
  }
  return Joint::kNone;
}

ProseClause ReadClause(std::string_view paragraph, std::size_t begin, std::size_t end,
                       Joint joint) {
  const std::string_view text = paragraph.substr(begin, end - begin);
  WordList words = Words(text, kProseWordsMax);
  ProseClause clause{.begin = begin, .end = end};
  clause.exception = joint == Joint::kException;
  if (!words.empty() && InList(ContrastLeads(), words.front())) {
    words.erase(words.begin());
  }
  clause.rest = IsRest(words, false) || EllipticRelative(words);
  clause.negative = NegativeRelative(words);
  clause.names = NamingWords(words) > 0;
  clause.points = Points(words);
  const bool asks_to = words.size() > 3 && words[1] == "you" &&
                       (words[0] == "could" || words[0] == "can" || words[0] == "would");
  constexpr std::array<std::string_view, 22> asking = {
      "is",   "are",  "does",  "do",  "did", "can", "could", "may",  "should", "would", "has",
      "have", "what", "which", "who", "how", "why", "where", "when", "if",     "q",     "will"};
  const bool asks = !words.empty() && InList(asking, words.front());
  const bool marked = text.ends_with('?') && !asks_to;
  clause.contrary = EndsContrary(words);
  if (!(marked && asks) && !clause.contrary) {
    clause.side = ProseSide(text);
  }
  clause.question = marked && (asks || clause.side == Side::kNone);
  const bool only = (HasPhrase(words, OnlyPhrases()) || (!words.empty() && words[0] == "only")) &&
                    !HasPhrase(words, std::array<std::string_view, 2>{"if", "unless"});
  clause.only = only && !clause.question && clause.side != Side::kViolating && !clause.rest;
  return clause;
}

void CutSentence(std::string_view paragraph, std::size_t begin, std::size_t end,
                 std::vector<ProseClause>& clauses) {
  const std::string_view sentence = paragraph.substr(begin, end - begin);
  std::size_t from = 0;
  Joint joint = Joint::kNone;
  const auto close = [&](std::size_t to) {
    if (to > from) {
      clauses.push_back(ReadClause(paragraph, begin + from, begin + to, joint));
    }
  };
  for (std::size_t i = 1; i < sentence.size(); ++i) {
    const bool semicolon = sentence[i - 1] == ';' && sentence[i] == ' ';
    const Joint here = sentence[i - 1] != ' ' ? Joint::kNone : JointAt(sentence, i);
    if (semicolon || here != Joint::kNone) {
      close(semicolon ? i : i - 1);
      from = semicolon ? i + 1 : i;
      joint = semicolon ? Joint::kContrast : here;
    }
  }
  close(sentence.size());
}

}  // namespace

std::vector<ProseClause> ReadProseClauses(std::string_view paragraph) {
  std::vector<ProseClause> clauses;
  for (std::size_t at = 0; at < paragraph.size();) {
    const std::size_t end = SentenceEnd(paragraph, at);
    CutSentence(paragraph, at, end, clauses);
    at = end;
    while (at < paragraph.size() && paragraph[at] == ' ') {
      ++at;
    }
  }
  return clauses;
}

bool IsRest(std::string_view text) {
  return IsRest(Words(text, kProseWordsMax), true);
}

}  // namespace safeguard::moderation::reading
