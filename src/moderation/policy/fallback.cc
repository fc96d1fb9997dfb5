// A policy written as prose: its sentences that say what is or is not allowed are its rules.
#include <algorithm>

#include "moderation/policy/draft.h"
#include "moderation/policy/scan.h"

namespace safeguard::moderation::reading {
namespace {

constexpr std::size_t kSentencesMax = 4096;

// Ends after ".", "!", "?" or "؟" "。" before a space or the end.
std::size_t SentenceEnd(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool stop = text[i] == '.' || text[i] == '!' || text[i] == '?';
    if (stop && (i + 1 == text.size() || text[i + 1] == ' ')) {
      return i + 1;
    }
    if (text.substr(i).starts_with("。")) {
      return i + 3;
    }
  }
  return text.size();
}

// "Answer 1 if ..." tells how to answer, not what content is like.
bool IsInstruction(std::string_view sentence) {
  constexpr std::string_view verbs[] = {"answer",   "return", "respond", "reply",  "output",
                                        "classify", "label",  "you",     "decide", "identify"};
  const std::vector<std::string> words = Words(sentence, 1);
  return !words.empty() && std::ranges::find(verbs, words.front()) != std::end(verbs);
}

Side SentenceSide(std::string_view sentence) {
  const Side side = ClauseSide(sentence);
  if (side != Side::kNone) {
    return side;
  }
  // "Content that ... violates", "... count as violations".
  const TitleCue cue = ReadTitleCue(sentence);
  return cue.mixed || Words(sentence, 5).size() < 4 ? Side::kNone : cue.side;
}

}  // namespace

void ReadProseRules(Draft& draft) {
  std::size_t read = 0;
  for (const auto& [paragraph, number] : draft.prose) {
    std::string_view rest = paragraph;
    while (!rest.empty() && read < kSentencesMax) {
      const std::size_t end = SentenceEnd(rest);
      const std::string_view sentence = Trim(rest.substr(0, end));
      rest = TrimLeft(rest.substr(end));
      ++read;
      const Side side = IsInstruction(sentence) ? Side::kNone : SentenceSide(sentence);
      if (side != Side::kNone) {
        RuleDraft rule;
        rule.rule.text = std::string(sentence);
        rule.rule.line = number;
        rule.own = side;
        rule.context = side;
        draft.rules.push_back(std::move(rule));
      }
    }
  }
}

}  // namespace safeguard::moderation::reading
