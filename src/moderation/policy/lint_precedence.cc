// Statements of precedence, and pairs of them that order the same things differently.
#include <algorithm>
#include <array>
#include <initializer_list>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "moderation/policy/ids.h"
#include "moderation/policy/lint_checks.h"
#include "moderation/policy/scan.h"

namespace safeguard::moderation::reading {
namespace {

constexpr std::size_t kEdgesMax = 512;

using WordList = std::vector<std::string>;

bool Has(const WordList& words, std::initializer_list<std::string_view> any) {
  return std::ranges::any_of(
      words, [any](const std::string& word) { return std::ranges::find(any, word) != any.end(); });
}

std::size_t IndexOf(const WordList& words, std::initializer_list<std::string_view> any) {
  return static_cast<std::size_t>(std::ranges::find_if(words,
                                                       [any](const std::string& word) {
                                                         return std::ranges::find(any, word) !=
                                                                any.end();
                                                       }) -
                                  words.begin());
}

bool HasPair(const WordList& words, std::string_view a, std::string_view b_stem) {
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i] == a && words[i + 1].starts_with(b_stem)) {
      return true;
    }
  }
  return false;
}

// Ways to settle a case under several rules. Two of one kind that differ contradict each other.
enum class Kind { kNone, kTie, kSides, kDoubt };
struct Strategy {
  Kind kind = Kind::kNone;
  std::string_view name;
};

bool Settles(const WordList& words) {
  return Has(words,
             {"wins",      "win",      "applies",   "apply",    "prevails", "prevail", "precedence",
              "overrides", "override", "use",       "choose",   "pick",     "take",    "report",
              "counts",    "decides",  "dominates", "dominant", "controls", "governs", "assign",
              "label",     "select",   "classify",  "return",   "answer",   "output"});
}

Strategy TieStrategy(const WordList& words) {
  const bool rank = HasPair(words, "highest", "sever") || HasPair(words, "most", "sever") ||
                    HasPair(words, "most", "serious") || HasPair(words, "highest", "level") ||
                    HasPair(words, "most", "restrictive") || HasPair(words, "higher", "sever") ||
                    Has(words, {"strictest", "severest"});
  if (rank) {
    return {Kind::kTie, "the most severe wins"};
  }
  if (HasPair(words, "lowest", "sever") || HasPair(words, "least", "sever") ||
      HasPair(words, "lowest", "level") || HasPair(words, "most", "lenient")) {
    return {Kind::kTie, "the least severe wins"};
  }
  if (HasPair(words, "first", "match") || HasPair(words, "first", "rule") ||
      HasPair(words, "first", "applicable") || HasPair(words, "first", "that")) {
    return {Kind::kTie, "the first match wins"};
  }
  if (HasPair(words, "last", "match") || HasPair(words, "last", "rule")) {
    return {Kind::kTie, "the last match wins"};
  }
  if (HasPair(words, "most", "specific")) {
    return {Kind::kTie, "the most specific wins"};
  }
  return {};
}

enum class Group { kNone, kSafe, kViolating };

Group GroupOf(const std::string& word) {
  if (word.starts_with("exception") || word.starts_with("exempt") || word == "safe" ||
      word.starts_with("allow") || word.starts_with("permi")) {
    return Group::kSafe;
  }
  const bool violating = word.starts_with("violat") || word.starts_with("prohib") ||
                         word.starts_with("disallow") || word == "unsafe" ||
                         word.starts_with("forbid");
  return violating ? Group::kViolating : Group::kNone;
}

// "Exceptions override prohibitions."
Strategy SidesStrategy(const WordList& words) {
  const std::size_t verb =
      IndexOf(words, {"override", "overrides", "precedence", "beat", "beats", "trump", "trumps",
                      "prevail", "prevails", "supersede", "supersedes", "outrank", "outranks"});
  if (verb >= words.size()) {
    return {};
  }
  Group left = Group::kNone;
  Group right = Group::kNone;
  for (std::size_t i = 0; i < words.size(); ++i) {
    Group& place = i < verb ? left : right;
    place = place == Group::kNone ? GroupOf(words[i]) : place;
  }
  if (left == Group::kNone || right == Group::kNone || left == right) {
    return {};
  }
  return {Kind::kSides, left == Group::kSafe ? "what is allowed overrides what violates"
                                             : "what violates overrides what is allowed"};
}

Strategy DoubtStrategy(const WordList& words, std::string_view text) {
  const bool doubt = HasPair(words, "in", "doubt") ||
                     Has(words, {"unclear", "ambiguous", "unsure", "uncertain", "borderline"});
  if (!doubt || !Has(words, {"if", "when", "in"})) {
    return {};
  }
  // Only what stands after the doubt decides.
  const std::size_t at = Lower(text).find_first_of(",:→");
  const std::string_view then = at == std::string_view::npos ? text : text.substr(at);
  const TitleCue cue = ReadTitleCue(then);
  const WordList after = Words(then, 24);
  const bool one = Has(after, {"1"});
  const bool zero = Has(after, {"0"});
  Side side = cue.side;
  if (side == Side::kNone && !cue.mixed && one != zero) {
    side = one ? Side::kViolating : Side::kSafe;
  }
  if (side == Side::kNone || Has(after, {"downgrade", "escalate", "least"})) {
    return {};
  }
  return {Kind::kDoubt, side == Side::kSafe ? "unclear cases are safe" : "unclear cases violate"};
}

struct Edge {
  std::string over;
  std::string under;
  int line = 0;
};

// Ids in the text with what stands between each two of them.
void ReadEdges(std::string_view text, int line, std::vector<Edge>& edges) {
  const std::vector<IdToken> ids = FindIds(text);
  for (std::size_t i = 0; i + 1 < ids.size() && edges.size() < kEdgesMax; ++i) {
    const std::string_view gap = text.substr(ids[i].end, ids[i + 1].begin - ids[i].end);
    if (gap.size() > 60) {
      continue;
    }
    const WordList words = Words(gap, 8);
    const std::string_view sign = Trim(gap);
    const bool negated = Has(words, {"not", "never"});
    bool over =
        sign == ">" || sign == ">>" ||
        (!words.empty() && (words.front() == "over" || words.front() == "before") &&
         words.size() == 1) ||
        Has(words, {"overrides", "override", "beats", "trumps", "outranks", "supersedes"}) ||
        (Has(words, {"precedence", "priority", "prevails", "wins", "dominates"}) &&
         Has(words, {"over", "above", "before"})) ||
        HasPair(words, "ahead", "of");
    const bool under =
        sign == "<" || sign == "<<" || Has(words, {"overridden", "yields", "defers"}) ||
        HasPair(words, "subordinate", "to") || (words.size() == 1 && words.front() == "under");
    over = over && !Has(words, {"overridden"});
    if (over == under || negated) {
      continue;
    }
    Edge edge{ids[i].match.id, ids[i + 1].match.id, line};
    if (under) {
      std::swap(edge.over, edge.under);
    }
    edges.push_back(std::move(edge));
  }
}

// "Order of precedence: SP4, SP3, SP2": each before the next.
void ReadOrder(std::string_view text, int line, std::vector<Edge>& edges) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    return;
  }
  const WordList head = Words(text.substr(0, colon), 10);
  if (!Has(head, {"precedence", "priority"}) && !HasPair(head, "order", "of")) {
    return;
  }
  const std::vector<IdToken> ids = FindIds(text.substr(colon));
  for (std::size_t i = 0; i + 1 < ids.size() && edges.size() < kEdgesMax; ++i) {
    const std::string_view gap =
        text.substr(colon).substr(ids[i].end, ids[i + 1].begin - ids[i].end);
    const std::string_view sign = Trim(gap);
    const bool list = sign == "," || sign == ";" || sign == ", then" || sign == "then" ||
                      sign == "→" || sign == "->";
    if (list) {
      edges.push_back({ids[i].match.id, ids[i + 1].match.id, line});
    }
  }
}

class Order {
 public:
  // The line of a statement that already puts `under` above `over`, directly or through others.
  int Contradicted(const Edge& edge) const {
    std::unordered_set<std::string> seen = {edge.under};
    std::vector<std::string> open = {edge.under};
    while (!open.empty()) {
      const std::string at = std::move(open.back());
      open.pop_back();
      const auto found = below_.find(at);
      if (found == below_.end()) {
        continue;
      }
      for (const auto& [next, line] : found->second) {
        if (next == edge.over) {
          return line;
        }
        if (seen.insert(next).second) {
          open.push_back(next);
        }
      }
    }
    return 0;
  }

  void Add(const Edge& edge) { below_[edge.over].emplace_back(edge.under, edge.line); }

 private:
  std::unordered_map<std::string, std::vector<std::pair<std::string, int>>> below_;
};

void ReportContradiction(LintContext& context, int line, int before, const std::string& what) {
  context.Add(Severity::kWarning, "contradictory-precedence", line,
              what + " line " + std::to_string(before) +
                  " says otherwise, so a case under both has two answers",
              "keep one of the two statements");
}

void CompareEdges(LintContext& context, const std::vector<Edge>& edges) {
  Order order;
  for (const Edge& edge : edges) {
    const int before = edge.over == edge.under ? 0 : order.Contradicted(edge);
    if (before > 0) {
      ReportContradiction(context, edge.line, before,
                          edge.over + " is put over " + edge.under + " here, but");
    } else {
      order.Add(edge);
    }
  }
}

struct Statement {
  Strategy strategy;
  int line = 0;
};

void CompareStrategies(LintContext& context, const std::vector<Statement>& statements) {
  std::unordered_map<int, Statement> first;
  for (const Statement& statement : statements) {
    const auto [found, added] = first.emplace(static_cast<int>(statement.strategy.kind), statement);
    if (!added && found->second.strategy.name != statement.strategy.name) {
      ReportContradiction(context, statement.line, found->second.line,
                          "here " + std::string(statement.strategy.name) + ", but");
    }
  }
}

// Sentences of a line, so that one line can hold two statements.
std::vector<std::string_view> Sentences(std::string_view text) {
  std::vector<std::string_view> out;
  std::size_t begin = 0;
  for (std::size_t i = 0; i + 1 < text.size() && out.size() < 256; ++i) {
    if ((text[i] == '.' || text[i] == ';') && text[i + 1] == ' ') {
      out.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  out.push_back(text.substr(begin));
  return out;
}

bool MentionsPrecedence(const WordList& words) {
  return Has(words, {"precedence", "prevails", "overrides", "dominant", "priority", "outranks",
                     "supersedes", "trumps", "vorrang"}) ||
         TieStrategy(words).kind != Kind::kNone;
}

}  // namespace

void CheckPrecedence(LintContext& context) {
  std::vector<Edge> edges;
  std::vector<Statement> statements;
  bool mentioned = false;
  for (const PlacedLine& placed : context.placed) {
    const Line& line = *placed.line;
    if (line.fenced || line.kind == LineKind::kBlank || placed.example ||
        placed.role == Role::kExamples) {
      continue;
    }
    const std::string text = StripMarkup(line.body);
    mentioned = mentioned || MentionsPrecedence(Words(text, 512));
    ReadEdges(text, line.number, edges);
    ReadOrder(text, line.number, edges);
    if (placed.heading || placed.clause) {
      continue;
    }
    for (const std::string_view sentence : Sentences(text)) {
      const WordList words = Words(sentence, 64);
      const Strategy tie = Settles(words) ? TieStrategy(words) : Strategy{};
      for (const Strategy& strategy : {tie, SidesStrategy(words), DoubtStrategy(words, sentence)}) {
        if (strategy.kind != Kind::kNone) {
          statements.push_back({strategy, line.number});
        }
      }
    }
  }
  CompareEdges(context, edges);
  CompareStrategies(context, statements);
  const auto violating = std::ranges::count(context.policy->levels, Side::kViolating, &Level::side);
  if (violating >= 2 && !mentioned && edges.empty()) {
    context.Add(Severity::kHint, "precedence", 0,
                "there are several levels, but nothing says which one counts when two apply",
                "add a line such as \"If several levels apply, the most severe one wins\"");
  }
}

}  // namespace safeguard::moderation::reading
