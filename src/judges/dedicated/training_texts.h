// The texts of many contents, in all views, one after the other.
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "moderation/content.h"

namespace safeguard::judges {

struct TrainingTexts {
  std::vector<std::string> texts;
  std::vector<std::size_t> first;  // texts [first[c], first[c + 1]) are of content c
  std::vector<std::size_t> whole;  // the text that content c is learned by
  std::vector<bool> other_script;  // content c is mostly in another script than Latin
};

TrainingTexts ReadTrainingTexts(std::span<const moderation::Content> contents);

// The highest score of each content of `wanted`; `scores[t]` is of texts[t].
std::vector<std::optional<double>> HighestScores(const TrainingTexts& texts,
                                                 std::span<const std::size_t> wanted,
                                                 std::span<const std::optional<double>> scores);

}  // namespace safeguard::judges
