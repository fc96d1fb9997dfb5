#include "judges/screen/anchors.h"

#include <array>
#include <set>
#include <string_view>
#include <utility>

namespace safeguard::judges {
namespace {

using moderation::Side;

constexpr std::size_t kQuoteBytesMin = 4;
constexpr std::size_t kAnchorsMax = 2000;

// Straight and typographic quotation marks, opening and closing.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kQuotes = {
    {{"\"", "\""}, {"\u201C", "\u201D"}, {"\u201E", "\u201C"}, {"\u00AB", "\u00BB"}}};

std::vector<std::string> QuotedTexts(std::string_view text) {
  std::vector<std::string> quoted;
  for (const auto& [open, close] : kQuotes) {
    for (std::size_t at = text.find(open); at != std::string_view::npos;) {
      const std::size_t begin = at + open.size();
      const std::size_t end = text.find(close, begin);
      if (end == std::string_view::npos) {
        break;
      }
      if (end - begin >= kQuoteBytesMin) {
        quoted.emplace_back(text.substr(begin, end - begin));
      }
      at = text.find(open, end + close.size());
    }
  }
  return quoted;
}

class Collector {
 public:
  void Add(std::string text, Side side, std::optional<std::size_t> rule, bool example = false) {
    const bool blank = text.find_first_not_of(" \t\r\n") == std::string::npos;
    if (side == Side::kNone || blank || anchors_.size() >= kAnchorsMax ||
        !seen_.insert({text, side}).second) {
      return;
    }
    anchors_.push_back({std::move(text), side, rule, example});
  }

  std::vector<Anchor> Take() { return std::move(anchors_); }

 private:
  std::vector<Anchor> anchors_;
  std::set<std::pair<std::string, Side>> seen_;
};

std::optional<std::size_t> RuleOfExample(const moderation::Policy& policy,
                                         const moderation::Example& example) {
  for (const std::string& id : example.rule_ids) {
    for (std::size_t r = 0; r < policy.rules.size(); ++r) {
      if (policy.rules[r].id == id && policy.rules[r].side == example.side) {
        return r;
      }
    }
  }
  return std::nullopt;
}

bool LevelHasRules(const moderation::Policy& policy, const std::string& level) {
  for (const moderation::Rule& rule : policy.rules) {
    if (rule.level_id == level) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::vector<Anchor> AnchorsOf(const moderation::Policy& policy) {
  Collector collector;
  for (std::size_t r = 0; r < policy.rules.size(); ++r) {
    const moderation::Rule& rule = policy.rules[r];
    if (rule.rest && rule.side == Side::kViolating) {
      continue;  // "anything else violates": its words are like nothing that violates
    }
    collector.Add(rule.text, rule.side, r);
    for (std::string& quoted : QuotedTexts(rule.text)) {
      collector.Add(std::move(quoted), rule.side, r);
    }
  }
  for (const moderation::Level& level : policy.levels) {
    if (!LevelHasRules(policy, level.id)) {
      collector.Add(level.text.empty() ? level.name : level.name + ": " + level.text, level.side,
                    {});
    }
  }
  for (const moderation::Example& example : policy.examples) {
    collector.Add(example.text, example.side, RuleOfExample(policy, example), true);
  }
  return collector.Take();
}

}  // namespace safeguard::judges
