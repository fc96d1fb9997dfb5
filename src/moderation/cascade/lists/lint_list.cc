#include <algorithm>
#include <map>
#include <string>
#include <tuple>

#include "base/unicode/characters.h"
#include "base/utc_time.h"
#include "base/utf8.h"
#include "moderation/cascade/lists/term_index.h"
#include "moderation/lists.h"

namespace safeguard::moderation {
namespace {

std::size_t CodePoints(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }));
}

class Linter {
 public:
  Linter(const List& list, std::int64_t now) : list_(list), now_(now) {}

  std::vector<ListProblem> Run() && {
    std::size_t allows = 0;
    for (const ListEntry& entry : list_.entries) {
      allows += entry.kind == ListKind::kAllow ? 1 : 0;
      Check(entry);
    }
    if (list_.entries.empty()) {
      problems_.push_back({0, false, "the list is empty", "add to it with: safeguard lists add"});
    }
    if (allows > 0 && allows == list_.entries.size()) {
      return std::move(problems_);  // a list of allowed phrases for the terms of other lists
    }
    CheckUnused();
    std::ranges::stable_sort(problems_, {}, &ListProblem::line);
    return std::move(problems_);
  }

 private:
  void Warn(const ListEntry& entry, std::string message, std::string mend) {
    problems_.push_back({entry.line, false, entry.id + ": " + std::move(message), std::move(mend)});
  }

  void Check(const ListEntry& entry) {
    if (entry.ExpiredAt(now_)) {
      Warn(entry, "expired on " + UtcText(*entry.expires).substr(0, 10) + " and never hits",
           "take it out, or give it a later date");
    }
    if (entry.action == ListEffect::kSafe && !entry.expires) {
      Warn(entry, "clears a content for ever", "give it a date to be looked at again: expires");
    }
    if (entry.kind != ListKind::kAllow && entry.action == ListEffect::kViolation &&
        entry.rules.empty()) {
      Warn(entry, "is a violation of no rule", "name policy and rules: people will ask which");
    }
    const auto [before, fresh] =
        seen_.emplace(std::tuple(entry.kind, entry.policy, Key(entry)), &entry);
    if (!fresh) {
      Warn(entry, "lists what " + before->second->id + " lists", "keep one of them");
    }
    if (entry.kind == ListKind::kTerm) {
      CheckTerm(entry);
    }
  }

  static std::string Key(const ListEntry& entry) {
    const bool phrase = entry.kind == ListKind::kTerm || entry.kind == ListKind::kAllow;
    return phrase ? lists::TermLiteral(entry.value) : entry.value;
  }

  void CheckTerm(const ListEntry& entry) {
    const std::string literal = lists::TermLiteral(entry.value);
    constexpr std::size_t kShort = 4;
    if (entry.match != TermMatch::kWord && CodePoints(literal) < kShort &&
        static_cast<unsigned char>(literal.front()) < 0x80) {
      Warn(entry, "\"" + entry.value + "\" is short and hits inside many words",
           "match it as a word, or allow the words that hold it");
    }
  }

  // Terms that an allowed phrase equals: they never hit.
  void CheckUnused() {
    for (const auto& [key, entry] : seen_) {
      const auto& [kind, policy, literal] = key;
      if (kind == ListKind::kTerm &&
          seen_.contains(std::tuple(ListKind::kAllow, policy, literal))) {
        Warn(*entry,
             "is allowed as a whole by " +
                 seen_.at(std::tuple(ListKind::kAllow, policy, literal))->id + " and never hits",
             "take one of the two out");
      }
    }
  }

  const List& list_;
  std::int64_t now_;
  std::map<std::tuple<ListKind, std::string, std::string>, const ListEntry*> seen_;
  std::vector<ListProblem> problems_;
};

}  // namespace

std::vector<ListProblem> LintList(const List& list, std::int64_t now) {
  return Linter(list, now).Run();
}

}  // namespace safeguard::moderation
