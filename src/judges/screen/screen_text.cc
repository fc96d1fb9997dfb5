#include "judges/screen_text.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "judges/screen/plain_text.h"

namespace safeguard::judges {
namespace {

using moderation::Policy;
using moderation::Side;

constexpr std::size_t kWordsMin = 4;
constexpr std::size_t kTokensMin = 16;
// Where no spaces part the words, every so many bytes are one.
constexpr std::size_t kWordBytesMax = 24;
constexpr double kAllowedShare = 0.4;

// A text that can be cut behind each of its words.
struct Clause {
  std::string text;
  std::vector<std::size_t> ends;  // of its words, in bytes

  explicit Clause(std::string plain) : text(std::move(plain)) {
    std::size_t begin = 0;
    for (std::size_t at = 1; at <= text.size(); ++at) {
      const bool inside =
          at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80;
      const bool space = at < text.size() && text[at] == ' ';
      if (at == text.size() || space || (!inside && at - begin >= kWordBytesMax)) {
        ends.push_back(at);
        begin = space ? at + 1 : at;
        at = begin;
      }
    }
  }

  [[nodiscard]] std::string_view Cut(std::size_t words) const {
    std::string_view cut =
        words >= ends.size() ? text : std::string_view(text).substr(0, ends[words - 1]);
    const std::size_t last = cut.find_last_not_of(" .,;:([");
    return cut.substr(0, last == std::string_view::npos ? 0 : last + 1);
  }
};

using Clauses = std::vector<Clause>;

bool LevelHasRules(const Policy& policy, const std::string& level) {
  return std::any_of(policy.rules.begin(), policy.rules.end(),
                     [&](const moderation::Rule& rule) { return rule.level_id == level; });
}

Clauses ClausesOf(const Policy& policy, Side side) {
  Clauses clauses;
  std::set<std::string> seen;
  const auto add = [&](std::string_view text) {
    std::string plain = PlainText(text, policy);
    if (!plain.empty() && seen.insert(plain).second) {
      clauses.emplace_back(std::move(plain));
    }
  };
  for (const moderation::Rule& rule : policy.rules) {
    if (rule.side == side) {
      add(rule.text);
    }
  }
  for (const moderation::Level& level : policy.levels) {
    if (level.side == side && !LevelHasRules(policy, level.id)) {
      add(level.text.empty() ? level.name : level.name + ": " + level.text);
    }
  }
  if (clauses.empty()) {
    for (const moderation::Example& example : policy.examples) {
      if (example.side == side) {
        add(example.text);
      }
    }
  }
  return clauses;
}

std::string SideText(const char* title, const Clauses& clauses, std::size_t words) {
  std::string text;
  for (const Clause& clause : clauses) {
    text += text.empty() ? title : "; ";
    text += clause.Cut(words);
  }
  return text.empty() ? text : text + ".";
}

std::size_t WordsMax(const Clauses& clauses) {
  std::size_t most = 0;
  for (const Clause& clause : clauses) {
    most = std::max(most, clause.ends.size());
  }
  return most;
}

// `count` of them, evenly spread, the first always.
Clauses EvenChoice(const Clauses& clauses, std::size_t count) {
  Clauses chosen;
  for (std::size_t i = 0; i < count; ++i) {
    chosen.push_back(clauses[i * clauses.size() / count]);
  }
  return chosen;
}

// The longest text of a side that has at most `tokens` tokens; empty when nothing has.
std::string Fit(const char* title, const Clauses& clauses, const TokenCounter& count_tokens,
                std::size_t tokens) {
  const auto fitting = [&](const Clauses& some, std::size_t words) -> std::string {
    if (some.size() > tokens) {
      return {};  // no clause has less than one token
    }
    std::string text = SideText(title, some, words);
    return count_tokens(text) <= tokens ? text : std::string();
  };
  const std::size_t most = WordsMax(clauses);
  // No word has less than one token.
  for (std::size_t words = std::min(most, std::max(tokens, kWordsMin));
       words >= std::min(most, kWordsMin) && words > 0; --words) {
    if (std::string text = fitting(clauses, words); !text.empty()) {
      return text;
    }
  }
  for (std::size_t count = std::min(clauses.size(), tokens); count > 0; --count) {
    if (std::string text = fitting(EvenChoice(clauses, count), kWordsMin); !text.empty()) {
      return text;
    }
  }
  for (std::size_t words = kWordsMin; words > 0 && !clauses.empty(); --words) {
    if (std::string text = fitting(EvenChoice(clauses, 1), words); !text.empty()) {
      return text;
    }
  }
  return {};
}

// The sides' texts behind the name, in `tokens_max` tokens.
std::string Assemble(const Policy& policy, const Clauses& violating, const Clauses& allowed,
                     const TokenCounter& count_tokens, std::size_t tokens_max) {
  CHECK(tokens_max >= kTokensMin);
  std::string head =
      Fit("", {Clause(PlainText(policy.name, policy))}, count_tokens, tokens_max / 4);
  const auto join = [](std::string& to, const std::string& text) {
    to += (to.empty() || text.empty() ? "" : " ") + text;
  };
  std::size_t room = tokens_max - count_tokens(head);
  const std::size_t whole = count_tokens(SideText("Violates: ", violating, SIZE_MAX));
  const auto share = static_cast<std::size_t>(kAllowedShare * static_cast<double>(room));
  const std::size_t for_allowed =
      violating.empty() ? room : std::max(share, room - std::min(room, whole));
  const std::string allowed_text = Fit("Allowed: ", allowed, count_tokens, for_allowed);
  room -= count_tokens(allowed_text);
  join(head, Fit("Violates: ", violating, count_tokens, room));
  join(head, allowed_text);
  return head;
}

}  // namespace

std::string ScreenText(const Policy& policy, const TokenCounter& count_tokens,
                       std::size_t tokens_max) {
  return Assemble(policy, ClausesOf(policy, Side::kViolating), ClausesOf(policy, Side::kSafe),
                  count_tokens, tokens_max);
}

std::string RuleScreenText(const Policy& policy, std::size_t rule, const TokenCounter& count_tokens,
                           std::size_t tokens_max) {
  CHECK(rule < policy.rules.size());
  return Assemble(policy, {Clause(PlainText(policy.rules[rule].text, policy))}, {}, count_tokens,
                  tokens_max);
}

}  // namespace safeguard::judges
