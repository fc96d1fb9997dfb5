#include "moderation/cascade/normalise.h"

#include <utility>

namespace safeguard::moderation {
namespace {

// Each round undoes one layer of disguise; a bound for hostile text.
constexpr int kRounds = 8;

using Stage = std::optional<MappedText> (*)(const MappedText&);
constexpr Stage kStages[] = {DropUndrawn, UndressLetters, ComposeMarks, ResolveLookalikes};

}  // namespace

std::optional<MappedText> Normalise(const MappedText& text) {
  std::optional<MappedText> made;
  for (int round = 0; round < kRounds; ++round) {
    bool changed = false;
    for (const Stage stage : kStages) {
      if (std::optional<MappedText> next = stage(made ? *made : text)) {
        made = std::move(next);
        changed = true;
      }
    }
    if (!changed) {
      break;
    }
  }
  return made;
}

}  // namespace safeguard::moderation
