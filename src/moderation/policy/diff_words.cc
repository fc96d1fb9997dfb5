// The word diff: a longest common subsequence over words and the spaces between them.
#include <algorithm>
#include <cstdint>

#include "moderation/policy/diff_sequence.h"
#include "moderation/policy_diff.h"

namespace safeguard::moderation {
namespace {

bool IsSpace(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

// Words with the space after them kept apart.
std::vector<std::string_view> Tokens(std::string_view text) {
  std::vector<std::string_view> tokens;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = begin;
    const bool space = IsSpace(text[begin]);
    while (end < text.size() && IsSpace(text[end]) == space) {
      ++end;
    }
    tokens.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return tokens;
}

void Append(std::vector<WordRun>& runs, WordChange change, std::string_view text) {
  if (runs.empty() || runs.back().change != change) {
    runs.push_back({change, {}});
  }
  runs.back().text += text;
}

// A space between two changed words joins them: "one two" replaced by "three four" is one run each.
std::vector<WordRun> Tidy(const std::vector<WordRun>& runs) {
  std::vector<WordRun> tidy;
  for (std::size_t i = 0; i < runs.size();) {
    if (runs[i].change == WordChange::kSame) {
      tidy.push_back(runs[i++]);
      continue;
    }
    WordRun removed{WordChange::kRemoved, {}};
    WordRun added{WordChange::kAdded, {}};
    for (; i < runs.size(); ++i) {
      const bool same = runs[i].change == WordChange::kSame;
      const bool blank = std::ranges::all_of(runs[i].text, IsSpace);
      if (same && !(blank && i + 1 < runs.size())) {
        break;
      }
      removed.text += same || runs[i].change == WordChange::kRemoved ? runs[i].text : "";
      added.text += same || runs[i].change == WordChange::kAdded ? runs[i].text : "";
    }
    for (WordRun* run : {&removed, &added}) {
      if (!run->text.empty()) {
        tidy.push_back(std::move(*run));
      }
    }
  }
  return tidy;
}

}  // namespace

std::vector<WordRun> DiffWords(std::string_view before, std::string_view after) {
  const std::vector<std::string_view> a = Tokens(before);
  const std::vector<std::string_view> b = Tokens(after);
  std::vector<WordRun> runs;
  std::size_t i = 0;
  std::size_t j = 0;
  for (const auto& [x, y] : reading::CommonSequence(a, b)) {
    for (; i < x; ++i) {
      Append(runs, WordChange::kRemoved, a[i]);
    }
    for (; j < y; ++j) {
      Append(runs, WordChange::kAdded, b[j]);
    }
    Append(runs, WordChange::kSame, a[i]);
    ++i;
    ++j;
  }
  for (; i < a.size(); ++i) {
    Append(runs, WordChange::kRemoved, a[i]);
  }
  for (; j < b.size(); ++j) {
    Append(runs, WordChange::kAdded, b[j]);
  }
  return Tidy(runs);
}

}  // namespace safeguard::moderation
