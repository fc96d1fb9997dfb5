#include "judges/reasoner/labels.h"

#include <algorithm>
#include <array>
#include <utility>

#include "judges/reasoner/answer_text.h"

namespace safeguard::judges {
namespace {

using moderation::Side;

struct UsualLabel {
  std::string_view text;
  Side side;
};

constexpr std::array kUsual = {
    UsualLabel{"1", Side::kViolating},
    UsualLabel{"0", Side::kSafe},
    UsualLabel{"violation", Side::kViolating},
    UsualLabel{"safe", Side::kSafe},
    UsualLabel{"unsafe", Side::kViolating},
    UsualLabel{"not safe", Side::kViolating},
    UsualLabel{"violates", Side::kViolating},
    UsualLabel{"violating", Side::kViolating},
    UsualLabel{"not violating", Side::kSafe},
    UsualLabel{"non-violating", Side::kSafe},
    UsualLabel{"does not violate", Side::kSafe},
    UsualLabel{"no violation", Side::kSafe},
    UsualLabel{"not a violation", Side::kSafe},
    UsualLabel{"invalid", Side::kViolating},
    UsualLabel{"valid", Side::kSafe},
    UsualLabel{"yes", Side::kViolating},
    UsualLabel{"no", Side::kSafe},
    UsualLabel{"true", Side::kViolating},
    UsualLabel{"false", Side::kSafe},
    UsualLabel{"block", Side::kViolating},
    UsualLabel{"blocked", Side::kViolating},
    UsualLabel{"allow", Side::kSafe},
    UsualLabel{"allowed", Side::kSafe},
    UsualLabel{"disallowed", Side::kViolating},
    UsualLabel{"not allowed", Side::kViolating},
    UsualLabel{"flag", Side::kViolating},
    UsualLabel{"flagged", Side::kViolating},
    UsualLabel{"not flagged", Side::kSafe},
    UsualLabel{"toxic", Side::kViolating},
    UsualLabel{"not toxic", Side::kSafe},
    UsualLabel{"non-toxic", Side::kSafe},
    UsualLabel{"harmful", Side::kViolating},
    UsualLabel{"not harmful", Side::kSafe},
    UsualLabel{"harmless", Side::kSafe},
    UsualLabel{"escalate", Side::kNone},
};

Side SideOf(std::string_view meaning) {
  const std::string word = FoldAnswer(meaning);
  for (const UsualLabel& usual : kUsual) {
    if (word == usual.text) {
      return usual.side;
    }
  }
  return Side::kNone;
}

}  // namespace

AnswerLabels::AnswerLabels(const moderation::Policy& policy) {
  for (const std::string& label : policy.labels) {
    const auto meaning = policy.label_meanings.find(label);
    const Side side = SideOf(meaning == policy.label_meanings.end() ? label : meaning->second);
    if (side != Side::kNone && !FindExactly(FoldAnswer(label))) {
      Add({label, side, "", true});
      choice_.push_back(labels_.back());
    }
  }
  for (const moderation::Level& level : policy.levels) {
    if (level.side != Side::kNone) {
      Add({level.id, level.side, level.id, true});
    }
    const std::string output = FoldAnswer(level.output);
    if (level.side != Side::kNone && !output.empty() && !FindExactly(output)) {
      Add({level.output, level.side, "", true});
      choice_.push_back(labels_.back());
    }
  }
  for (const moderation::Rule& rule : policy.rules) {
    if (rule.side != Side::kNone) {
      Add({rule.id, rule.side, rule.level_id, rule.id_written});
    }
  }
  for (const UsualLabel& usual : kUsual) {
    Add({std::string(usual.text), usual.side, "", false});
  }
  const auto has = [this](Side side) {
    return std::ranges::any_of(choice_, [side](const AnswerLabel& l) { return l.side == side; });
  };
  if (!has(Side::kViolating) || !has(Side::kSafe)) {
    choice_ = {{"1", Side::kViolating, "", false}, {"0", Side::kSafe, "", false}};
  }
}

void AnswerLabels::Add(AnswerLabel label) {
  if (!FindExactly(FoldAnswer(label.text))) {
    labels_.push_back(std::move(label));
  }
}

std::optional<AnswerLabel> AnswerLabels::FindExactly(std::string_view word) const {
  const auto found = std::ranges::find_if(
      labels_, [word](const AnswerLabel& label) { return FoldAnswer(label.text) == word; });
  return found == labels_.end() ? std::nullopt : std::optional(*found);
}

std::optional<AnswerLabel> AnswerLabels::Find(std::string_view word) const {
  const std::string folded = FoldAnswer(word);
  if (std::optional<AnswerLabel> label = FindExactly(folded)) {
    return label;
  }
  // D: the content depicts it, R: the content asks for it.
  if (folded.starts_with("d-") || folded.starts_with("r-")) {
    return FindExactly(std::string_view(folded).substr(2));
  }
  return std::nullopt;
}

}  // namespace safeguard::judges
