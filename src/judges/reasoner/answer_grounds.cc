#include "judges/reasoner/answer_grounds.h"

#include <algorithm>

#include "judges/reasoner/answer_text.h"

namespace safeguard::judges {
namespace {

using moderation::Policy;
using moderation::Rule;

constexpr std::size_t kNotesMax = 16;

bool IsIdByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

template <class Named>
const Named* FindFolded(const std::vector<Named>& all, std::string_view id) {
  const std::string folded = FoldAnswer(id);
  const auto found = std::ranges::find_if(
      all, [&folded](const Named& named) { return FoldAnswer(named.id) == folded; });
  return found == all.end() ? nullptr : &*found;
}

void AddRule(const Rule& rule, AnswerReading& reading) {
  if (std::ranges::find(reading.rule_ids, rule.id) == reading.rule_ids.end()) {
    reading.rule_ids.push_back(rule.id);
  }
  if (reading.category.empty()) {
    reading.category = rule.level_id;
  }
}

bool CiteExactly(const Policy& policy, std::string_view id, AnswerReading& reading) {
  if (const Rule* rule = FindFolded(policy.rules, id)) {
    AddRule(*rule, reading);
    return true;
  }
  if (const moderation::Level* level = FindFolded(policy.levels, id)) {
    if (reading.category.empty()) {
      reading.category = level->id;
    }
    return true;
  }
  return false;
}

void Note(std::string note, AnswerReading& reading) {
  if (reading.notes.size() < kNotesMax) {
    reading.notes.push_back(std::move(note));
  }
}

}  // namespace

void Cite(const Policy& policy, std::string_view cited, AnswerReading& reading) {
  constexpr std::size_t shown_bytes_max = 60;
  cited = Unwrap(cited);
  constexpr std::string_view brackets = "()[]<>";
  while (!cited.empty() && brackets.find(cited.front()) != std::string_view::npos) {
    cited.remove_prefix(1);
  }
  if (cited.empty()) {
    return;
  }
  // "SP2.a: Unsolicited advertising", "SP2.a (Unsolicited ...)", "D-SP2.a".
  std::size_t length = 0;
  while (length < cited.size() && IsIdByte(cited[length])) {
    ++length;
  }
  std::string_view id = cited.substr(0, length);
  while (id.ends_with('.') || id.ends_with('-')) {
    id.remove_suffix(1);
  }
  std::string_view bare = id;
  if (bare.starts_with("D-") || bare.starts_with("R-")) {
    bare.remove_prefix(2);
  }
  if (CiteExactly(policy, cited, reading) || CiteExactly(policy, id, reading) ||
      CiteExactly(policy, bare, reading)) {
    return;
  }
  std::size_t shown = std::min(cited.size(), shown_bytes_max);
  while (shown > 0 && shown < cited.size() &&
         (static_cast<unsigned char>(cited[shown]) & 0xC0U) == 0x80U) {
    --shown;
  }
  Note("cites \"" + std::string(cited.substr(0, shown)) +
           "\", which is no rule of the policy: left out",
       reading);
}

void CiteFromText(const Policy& policy, std::string_view text, AnswerReading& reading) {
  for (const Rule& rule : policy.rules) {
    if (!rule.id_written || rule.id.size() < 2) {
      continue;  // an id that we made, or "a": not what the text means
    }
    for (std::size_t at = text.find(rule.id); at != std::string_view::npos;
         at = text.find(rule.id, at + 1)) {
      const std::size_t end = at + rule.id.size();
      const bool begins =
          at == 0 || !IsIdByte(text[at - 1]) ||
          (at >= 2 && text[at - 1] == '-' && (text[at - 2] == 'D' || text[at - 2] == 'R'));
      const bool dot = end < text.size() && text[end] == '.' &&
                       (end + 1 == text.size() || !IsIdByte(text[end + 1]));
      if (begins && (end == text.size() || !IsIdByte(text[end]) || dot)) {
        AddRule(rule, reading);
        break;
      }
    }
  }
}

bool CitesSide(const Policy& policy, const AnswerReading& reading, moderation::Side side) {
  return std::ranges::any_of(reading.rule_ids, [&](const std::string& id) {
    const Rule* rule = policy.FindRule(id);
    return rule != nullptr && rule->side == side;
  });
}

}  // namespace safeguard::judges
