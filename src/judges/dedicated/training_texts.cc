#include "judges/dedicated/training_texts.h"

#include <algorithm>

#include "judges/screen/content_texts.h"

namespace safeguard::judges {

TrainingTexts ReadTrainingTexts(std::span<const moderation::Content> contents) {
  TrainingTexts all;
  for (const moderation::Content& content : contents) {
    const ContentTexts read(content);
    all.first.push_back(all.texts.size());
    all.whole.push_back(all.texts.size());
    all.other_script.push_back(read.foreign_script());
    for (const ContentText& text : read.texts()) {
      if (text.whole_conversation) {
        all.whole.back() = all.texts.size();
      }
      all.texts.push_back(text.view.text);
    }
  }
  all.first.push_back(all.texts.size());
  return all;
}

std::vector<std::optional<double>> HighestScores(const TrainingTexts& texts,
                                                 std::span<const std::size_t> wanted,
                                                 std::span<const std::optional<double>> scores) {
  std::vector<std::optional<double>> highest;
  for (const std::size_t c : wanted) {
    std::optional<double> best;
    for (std::size_t t = texts.first[c]; t < texts.first[c + 1]; ++t) {
      best = std::max(best, scores[t]);  // nothing is below every score
    }
    highest.push_back(best);
  }
  return highest;
}

}  // namespace safeguard::judges
