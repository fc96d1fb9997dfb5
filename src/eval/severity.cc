#include "eval/severity.h"

#include <algorithm>
#include <cstdlib>
#include <set>

namespace safeguard::eval {
namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  return begin == std::string_view::npos
             ? std::string_view()
             : text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
}

// Letters (with "-", "_" or spaces), then one or two digits, then nothing or ".sub-rule".
std::optional<int> OneLevel(std::string_view word) {
  word = Trim(word.substr(0, word.find('.')));
  std::size_t digits = word.size();
  while (digits > 0 && IsDigit(word[digits - 1])) {
    --digits;
  }
  const std::size_t count = word.size() - digits;
  const bool shaped =
      count >= 1 && count <= 2 && std::ranges::all_of(word.substr(0, digits), [](char c) {
        return IsLetter(c) || c == '-' || c == '_' || c == ' ';
      });
  if (!shaped) {
    return std::nullopt;
  }
  int level = 0;
  for (const char c : word.substr(digits)) {
    level = level * 10 + (c - '0');
  }
  return level;
}

std::optional<int> Higher(std::optional<int> a, std::optional<int> b) {
  return a && b ? std::max(a, b) : (a ? a : b);
}

std::optional<double> QuadraticKappa(const SeverityFigures& figures) {
  const std::size_t n = figures.levels.size();
  std::vector<double> rows(n);
  std::vector<double> columns(n);
  double total = 0;
  for (std::size_t e = 0; e < n; ++e) {
    for (std::size_t j = 0; j < n; ++j) {
      const auto count = static_cast<double>(figures.counts[e][j]);
      rows[e] += count;
      columns[j] += count;
      total += count;
    }
  }
  double seen = 0;
  double by_chance = 0;
  for (std::size_t e = 0; e < n; ++e) {
    for (std::size_t j = 0; j < n; ++j) {
      const double distance = static_cast<double>(e) - static_cast<double>(j);
      seen += distance * distance * static_cast<double>(figures.counts[e][j]);
      by_chance += distance * distance * rows[e] * columns[j] / std::max(total, 1.0);
    }
  }
  return by_chance > 0 ? std::optional(1 - seen / by_chance) : std::nullopt;
}

std::size_t RankOf(const std::vector<int>& levels, int level) {
  return static_cast<std::size_t>(std::ranges::lower_bound(levels, level) - levels.begin());
}

}  // namespace

std::optional<int> SeverityOf(std::string_view label) {
  std::optional<int> highest;
  while (true) {
    const std::size_t end = std::min(label.find_first_of(",;|+"), label.size());
    highest = Higher(highest, OneLevel(label.substr(0, end)));
    if (end == label.size()) {
      return highest;
    }
    label.remove_prefix(end + 1);
  }
}

std::optional<int> SeverityOf(const moderation::Verdict& verdict) {
  if (verdict.outcome == moderation::Outcome::kUndetermined) {
    return std::nullopt;
  }
  std::optional<int> level = SeverityOf(verdict.category);
  if (!level) {
    for (const std::string& rule : verdict.rule_ids) {
      level = Higher(level, SeverityOf(rule));
    }
  }
  return !level && verdict.outcome == moderation::Outcome::kSafe ? 0 : level;
}

SeverityFigures MeasureSeverity(std::span<const SeverityPair> cases, std::span<const int> known) {
  SeverityFigures figures;
  std::set<int> levels(known.begin(), known.end());
  for (const SeverityPair& pair : cases) {
    levels.insert(pair.expected);
    levels.insert(pair.judged.value_or(pair.expected));
  }
  figures.levels.assign(levels.begin(), levels.end());
  const std::size_t n = figures.levels.size();
  figures.counts.assign(n, std::vector<std::size_t>(n));
  for (std::size_t i = 1; i < n; ++i) {
    figures.cuts.push_back({.level = figures.levels[i]});
  }
  for (const SeverityPair& pair : cases) {
    ++figures.cases;
    for (SeverityFigures::Cut& cut : figures.cuts) {
      const bool expected = pair.expected >= cut.level;
      cut.confusion.Add(expected, pair.judged ? *pair.judged >= cut.level : !expected);
    }
    if (!pair.judged) {
      ++figures.without_level;
      continue;
    }
    const std::size_t expected = RankOf(figures.levels, pair.expected);
    const std::size_t judged = RankOf(figures.levels, *pair.judged);
    ++figures.counts[expected][judged];
    figures.exact += expected == judged ? 1 : 0;
    figures.off_by_one += expected <= judged + 1 && judged <= expected + 1 ? 1 : 0;
    figures.too_high += judged > expected ? 1 : 0;
    figures.too_low += judged < expected ? 1 : 0;
  }
  figures.quadratic_kappa = QuadraticKappa(figures);
  return figures;
}

}  // namespace safeguard::eval
