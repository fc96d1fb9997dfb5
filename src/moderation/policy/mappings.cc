// Rules and definitions that are written as YAML lists of maps, without being front matter.
#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "moderation/policy/draft.h"
#include "moderation/policy/scan.h"

namespace safeguard::moderation::reading {
namespace {

constexpr std::size_t kKeyMax = 24;
constexpr std::size_t kKeysMax = 8;

constexpr auto kIds = std::to_array<std::string_view>({"id", "code", "ref", "rule_id"});
constexpr auto kTexts =
    std::to_array<std::string_view>({"text", "rule", "description", "criterion", "criteria",
                                     "clause", "definition", "meaning", "content", "statement"});
constexpr auto kTerms = std::to_array<std::string_view>({"term", "word", "name", "title"});
constexpr auto kSides = std::to_array<std::string_view>({"side", "label", "verdict", "type"});

bool IsOneOf(std::string_view key, std::span<const std::string_view> keys) {
  return std::ranges::find(keys, key) != keys.end();
}

bool IsKey(std::string_view key) {
  return IsOneOf(key, kIds) || IsOneOf(key, kTexts) || IsOneOf(key, kTerms) ||
         IsOneOf(key, kSides) || key == "severity" || key == "level" || key == "examples";
}

struct Entry {
  std::string_view key;
  std::string_view value;
};

// "id: V1 text: Offers bets" -> (id, V1), (text, Offers bets). Empty when it leads with no key.
std::vector<Entry> Split(std::string_view text) {
  std::vector<Entry> entries;
  std::size_t word = 0;  // where the latest word begins
  for (std::size_t at = 0; at < text.size() && entries.size() < kKeysMax; ++at) {
    if (text[at] == ' ') {
      word = at + 1;
      continue;
    }
    const bool ends = text[at] == ':' && at + 1 < text.size() && text[at + 1] == ' ';
    const std::string_view key = text.substr(word, at - word);
    if (!ends || key.size() > kKeyMax || !IsKey(key)) {
      if (entries.empty() && ends) {
        return {};
      }
      continue;
    }
    if (!entries.empty()) {
      const auto begin = static_cast<std::size_t>(entries.back().value.data() - text.data());
      entries.back().value = Trim(text.substr(begin, word - begin));
    } else if (word != 0) {
      return {};
    }
    entries.push_back({key, text.substr(at + 1)});
  }
  for (Entry& entry : entries) {
    entry.value = Unquote(entry.value);
  }
  return entries;
}

std::string_view Find(const std::vector<Entry>& entries, std::span<const std::string_view> keys) {
  const auto found =
      std::ranges::find_if(entries, [keys](const Entry& one) { return IsOneOf(one.key, keys); });
  return found == entries.end() ? std::string_view{} : found->value;
}

void ReadRule(RuleDraft& rule) {
  const std::string whole = rule.rule.text;
  const std::vector<Entry> entries = Split(whole);
  const std::string_view id = Find(entries, kIds);
  std::string_view text = Find(entries, kTexts);
  text = text.empty() ? Find(entries, kTerms) : text;
  if (entries.size() < 2 || text.empty()) {
    return;
  }
  rule.rule.text = std::string(text);
  if (!id.empty() && id.size() <= 40 && Words(id, 4).size() <= 3 && !rule.rule.id_written) {
    rule.rule.id = std::string(id);
    rule.rule.id_written = true;
  }
  if (const std::string_view side = Find(entries, kSides); !side.empty()) {
    rule.own = LabelSide(side);
  }
}

}  // namespace

void ReadMappings(Draft& draft) {
  for (RuleDraft& rule : draft.rules) {
    ReadRule(rule);
  }
  for (Definition& definition : draft.definitions) {
    const std::string whole = definition.term + ": " + definition.text;
    const std::vector<Entry> entries = Split(whole);
    const std::string_view term = Find(entries, kTerms);
    const std::string_view text = Find(entries, kTexts);
    if (entries.size() >= 2 && entries.front().value.data() == term.data() && !text.empty()) {
      definition = {std::string(term), std::string(text), definition.line};
    }
  }
}

}  // namespace safeguard::moderation::reading
