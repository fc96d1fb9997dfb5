// Words: hedges that leave the decision open, and whether anything is said of unclear cases.
#include <algorithm>
#include <array>
#include <utility>

#include "moderation/policy/lint_checks.h"
#include "moderation/policy/scan.h"

namespace safeguard::moderation::reading {
namespace {

struct Phrase {
  std::array<std::string_view, 4> words;
};

constexpr auto kHedges = std::to_array<Phrase>({
    {{"generally"}},
    {{"usually"}},
    {{"typically"}},
    {{"normally"}},
    {{"mostly"}},
    {{"probably"}},
    {{"possibly"}},
    {{"perhaps"}},
    {{"maybe"}},
    {{"somewhat"}},
    {{"sometimes"}},
    {{"ordinarily"}},
    {{"in", "general"}},
    {{"in", "most", "cases"}},
    {{"in", "many", "cases"}},
    {{"in", "some", "cases"}},
    {{"for", "the", "most", "part"}},
    {{"tend", "to"}},
    {{"tends", "to"}},
    {{"more", "or", "less"}},
    {{"by", "and", "large"}},
    {{"as", "a", "rule", "of"}},
    {{"may", "or", "may"}},
    {{"often", "but"}},
    {{"normalerweise"}},
    {{"meistens"}},
    {{"généralement"}},
    {{"habituellement"}},
    {{"generalmente"}},
    {{"normalmente"}},
    {{"usualmente"}},
    {{"обычно"}},
    {{"معمولاً"}},
    {{"معمولا"}},
});

bool MatchesAt(const std::vector<std::string>& words, std::size_t at, const Phrase& phrase) {
  for (std::size_t i = 0; i < phrase.words.size() && !phrase.words[i].empty(); ++i) {
    if (at + i >= words.size() || words[at + i] != phrase.words[i]) {
      return false;
    }
  }
  return true;
}

std::string Joined(const Phrase& phrase) {
  std::string text;
  for (const std::string_view word : phrase.words) {
    if (!word.empty()) {
      if (!text.empty()) {
        text += ' ';
      }
      text += word;
    }
  }
  return text;
}

}  // namespace

void CheckHedges(LintContext& context) {
  for (const PlacedLine& placed : context.placed) {
    const Line& line = *placed.line;
    if (line.fenced || line.kind == LineKind::kHidden || line.kind == LineKind::kBlank ||
        placed.example || placed.role == Role::kExamples) {
      continue;
    }
    const std::vector<std::string> words = Words(MaskQuotes(line.body), 4096);
    for (std::size_t at = 0; at < words.size(); ++at) {
      for (const Phrase& hedge : kHedges) {
        if (MatchesAt(words, at, hedge)) {
          std::string reason = Joined(hedge);
          reason.insert(reason.begin(), '"');
          reason +=
              "\" leaves it open when the rule holds, and each reader will decide differently";
          context.Add(Severity::kWarning, "hedge-words", line.number, std::move(reason),
                      "say exactly when it holds and when it does not, or drop the word");
        }
      }
    }
  }
}

void CheckEscalation(LintContext& context) {
  if (context.policy->rules.empty()) {
    return;
  }
  constexpr auto stems = std::to_array<std::string_view>(
      {"escalat", "ambigu", "unclear", "uncertain", "unsure", "borderline", "doubt", "mehrdeutig",
       "unklar", "ambig", "неясн", "مبهم"});
  for (const PlacedLine& placed : context.placed) {
    const std::vector<std::string> words = Words(placed.line->body, 4096);
    for (std::size_t i = 0; i < words.size(); ++i) {
      const bool stem = std::ranges::any_of(
          stems, [&words, i](std::string_view s) { return words[i].starts_with(s); });
      const bool review =
          words[i] == "human" && i + 1 < words.size() && words[i + 1].starts_with("review");
      const bool clarify = words[i] == "clarification";
      if (stem || review || clarify) {
        return;
      }
    }
  }
  context.Add(Severity::kHint, "escalation", 0, "nothing says what to do when a case is unclear",
              "add a line such as \"If it is unclear whether ..., treat it as ... and escalate\"");
}

}  // namespace safeguard::moderation::reading
