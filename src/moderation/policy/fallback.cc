// A policy written as prose: its sentences that say what is to happen to content are its rules. A
// sentence that only points at what was said ("Such requests are declined.") takes that along.
#include <algorithm>
#include <string>

#include "moderation/policy/draft.h"
#include "moderation/policy/prose.h"
#include "moderation/policy/prose_words.h"
#include "moderation/policy/scan.h"
#include "moderation/policy/sides.h"

namespace safeguard::moderation::reading {
namespace {

constexpr std::size_t kClausesMax = 4096;
// Of a text without a verdict: fewer are a greeting or a title.
constexpr std::size_t kLeastWords = 8;

// "Answer 1 if ..." tells how to answer, not what content is like.
bool IsInstruction(std::string_view sentence) {
  constexpr std::string_view verbs[] = {"answer",   "return", "respond", "reply",   "output",
                                        "classify", "label",  "decide",  "identify"};
  const std::vector<std::string> words = Words(sentence, 4);
  if (words.empty() || sentence.find(" if ") != std::string_view::npos) {
    return false;  // "Label it 1 if ..." tells both
  }
  const bool you_must = words.size() == 4 && words[0] == "you" && words[1] == "must" &&
                        std::ranges::find(verbs, words[2]) != std::end(verbs);
  return you_must || std::ranges::find(verbs, words.front()) != std::end(verbs);
}

// Whether both name the same thing, by the beginnings of their words.
bool ShareSubject(std::string_view before, std::string_view text) {
  constexpr std::size_t kLeast = 3;
  constexpr std::size_t kPrefix = 5;
  const std::vector<std::string> earlier = Words(before, 400);
  for (const std::string& word : Words(text, 60)) {
    if (word.size() >= kLeast && !NamesNothing(word) &&
        std::ranges::any_of(earlier, [&word](const std::string& other) {
          return other.starts_with(std::string_view(word).substr(0, kPrefix)) &&
                 (word.size() > kLeast || other.size() <= kLeast + 1);  // "bet", "bets"
        })) {
      return true;
    }
  }
  return false;
}

// Bytes of a paragraph that become a rule.
struct Part {
  std::size_t begin = 0;
  std::size_t end = 0;
  Side side = Side::kNone;
  bool rest = false;
};

// One paragraph after another; a rule never crosses from one into the next.
class ProseReader {
 public:
  explicit ProseReader(Draft& draft) : draft_(draft) {}

  void Read(std::string_view paragraph, int line) {
    parts_.clear();
    Clear();
    unused_.clear();
    for (ProseClause clause : ReadProseClauses(paragraph)) {
      if (++read_ > kClausesMax) {
        break;
      }
      const std::string_view text = paragraph.substr(clause.begin, clause.end - clause.begin);
      clause.rest =
          clause.rest || (clause.negative &&
                          (clause.points || ShareSubject(paragraph.substr(0, clause.begin), text)));
      if (IsInstruction(text)) {
        Drop();
        continue;
      }
      clause = WithSide(clause);
      if (clause.side == Side::kNone && DeniesLast(paragraph, text)) {
        clause.side = Side::kSafe;
      }
      if (clause.only) {
        AddOnly(clause);
      } else if (clause.side == Side::kNone) {
        Wait(clause);
      } else {
        Add(paragraph, clause);
      }
    }
    Drop();
    Give(paragraph, line, parts_);
    if (!any_violating_) {
      kept_.push_back({std::string(paragraph), line, unused_});
    }
  }

  // Where nothing or only exceptions have a verdict, what else a text of some length speaks of is
  // what it is against; unless it speaks of a rest, whose side nobody can tell.
  void Finish() {
    std::size_t words = 0;
    for (const Unused& unused : kept_) {
      words += Words(unused.paragraph, kLeastWords).size();
    }
    for (const Unused& unused : kept_) {
      if (!any_violating_ && !any_rest_ && (any_safe_ || words >= kLeastWords)) {
        Give(unused.paragraph, unused.line, unused.parts);
      }
    }
  }

 private:
  // "A blunt word isn't rude" behind what says that rude comments go.
  bool DeniesLast(std::string_view paragraph, std::string_view text) const {
    if (parts_.empty() || parts_.back().side != Side::kViolating || waiting_) {
      return false;
    }
    const std::vector<std::string> words = Words(text, 40);
    for (std::size_t i = 1; i < words.size(); ++i) {
      const bool denies =
          words[i - 1] == "isn't" || words[i - 1] == "aren't" ||
          (words[i - 1] == "not" && i > 1 && (words[i - 2] == "is" || words[i - 2] == "are"));
      for (std::size_t at = i; denies && at < std::min(i + 2, words.size()); ++at) {
        if (ShareSubject(
                paragraph.substr(parts_.back().begin, parts_.back().end - parts_.back().begin),
                words[at])) {
          return true;
        }
      }
    }
    return false;
  }

  // What an exception or a bare "does not" leaves open: the other side of what stood before.
  ProseClause WithSide(ProseClause clause) const {
    const bool open = clause.side == Side::kNone || clause.contrary;
    if (open && (clause.exception || clause.contrary) && last_ != Side::kNone) {
      clause.side = Opposite(last_);
      clause.rest = false;
    }
    return clause;
  }

  void Wait(const ProseClause& clause) {
    if (!waiting_) {
      waiting_begin_ = clause.begin;
    }
    waiting_names_ = (waiting_ && waiting_names_) || clause.names;
    waiting_rest_ = (waiting_ && waiting_rest_) || clause.rest;
    any_rest_ = any_rest_ || clause.rest;
    waiting_ = true;
    waiting_question_ = clause.question;
    waiting_end_ = clause.end;
  }

  // What waited in vain may be all that there is (see Finish).
  void Drop() {
    if (waiting_ && waiting_names_ && !waiting_rest_ && !waiting_question_) {
      unused_.push_back({waiting_begin_, waiting_end_, Side::kViolating, false});
    }
    Clear();
  }

  void Clear() {
    waiting_ = false;
    waiting_question_ = false;
    waiting_names_ = false;
    waiting_rest_ = false;
  }

  void Push(std::size_t begin, std::size_t end, Side side, bool rest) {
    parts_.push_back({begin, end, side, rest});
    any_violating_ = any_violating_ || side == Side::kViolating;
    any_safe_ = any_safe_ || side == Side::kSafe;
    last_ = side;
    Clear();
  }

  // "This room is only for chess": chess complies, and the rest violates.
  void AddOnly(const ProseClause& clause) {
    const std::size_t begin = waiting_ && !clause.names ? waiting_begin_ : clause.begin;
    Push(begin, clause.end, Side::kSafe, false);
    Push(begin, clause.end, Side::kViolating, true);
    last_ = Side::kSafe;
  }

  // "By a boost we mean ... . Boosts are removed."
  bool Defines(std::string_view paragraph, const ProseClause& clause) const {
    const std::string_view waiting =
        paragraph.substr(waiting_begin_, waiting_end_ - waiting_begin_);
    const std::vector<std::string> words = Words(waiting, 60);
    const bool defines = waiting.find('"') != std::string_view::npos ||
                         std::ranges::any_of(words, [](const std::string& word) {
                           return word == "mean" || word == "means";
                         });
    return defines &&
           ShareSubject(waiting, paragraph.substr(clause.begin, clause.end - clause.begin));
  }

  void Add(std::string_view paragraph, const ProseClause& clause) {
    if (clause.rest && !clause.exception) {
      // What was named before and not judged is the other side of the rest.
      if (waiting_ && waiting_names_ && !waiting_rest_) {
        Push(waiting_begin_, waiting_end_, Opposite(clause.side), false);
      }
      Push(clause.begin, clause.end, clause.side, true);
      return;
    }
    const bool refers = clause.points || !clause.names || (waiting_ && waiting_question_) ||
                        (waiting_ && Defines(paragraph, clause));
    if (!refers) {
      Drop();
    }
    if (refers && waiting_ && waiting_names_) {
      Push(waiting_begin_, clause.end, clause.side, waiting_rest_);
    } else if (refers && !parts_.empty() && parts_.back().side == clause.side && !waiting_ &&
               !parts_.back().rest) {
      parts_.back().end = clause.end;
    } else if (clause.names) {
      Push(clause.begin, clause.end, clause.side, false);
    }
  }

  void Give(std::string_view paragraph, int line, const std::vector<Part>& parts) {
    for (const Part& part : parts) {
      RuleDraft rule;
      rule.rule.text = std::string(Trim(paragraph.substr(part.begin, part.end - part.begin)));
      rule.rule.line = line;
      rule.rule.rest = part.rest;
      rule.own = part.side;
      rule.context = part.side;
      draft_.rules.push_back(std::move(rule));
    }
  }

  struct Unused {
    std::string paragraph;
    int line = 0;
    std::vector<Part> parts;
  };

  Draft& draft_;
  std::vector<Part> parts_;
  std::vector<Part> unused_;  // of this paragraph, without a verdict
  std::vector<Unused> kept_;
  std::size_t read_ = 0;
  Side last_ = Side::kNone;
  bool any_violating_ = false;
  bool any_safe_ = false;
  bool any_rest_ = false;  // without a verdict
  bool waiting_ = false;   // clauses without a verdict, side by side
  bool waiting_names_ = false;
  bool waiting_question_ = false;
  bool waiting_rest_ = false;
  std::size_t waiting_begin_ = 0;
  std::size_t waiting_end_ = 0;
};

}  // namespace

void ReadProseRules(Draft& draft) {
  ProseReader reader(draft);
  for (const auto& [paragraph, number] : draft.prose) {
    reader.Read(paragraph, number);
  }
  reader.Finish();
}

}  // namespace safeguard::moderation::reading
