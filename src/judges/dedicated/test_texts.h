// A small world for tests: spam and small talk, drawn from a few phrases.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "moderation/content.h"

namespace safeguard::judges {

struct TestTexts {
  std::vector<moderation::Content> contents;
  std::vector<bool> positive;
};

// `count` different texts, every other one a violation.
inline TestTexts SpamAndSmallTalk(std::size_t count) {
  const std::vector<std::string> offers = {"win free money now", "claim your prize today",
                                           "cheap followers for sale", "click to earn cash"};
  const std::vector<std::string> talk = {"see you at lunch", "the match was great",
                                         "my sister paints birds", "rain again this morning"};
  TestTexts texts;
  for (std::size_t i = 0; i < count; ++i) {
    const bool positive = i % 2 == 0;
    const std::vector<std::string>& phrases = positive ? offers : talk;
    texts.contents.push_back(moderation::UserMessage(phrases[i / 2 % phrases.size()] +
                                                     ", says number " + std::to_string(i) + " " +
                                                     phrases[i / 8 % phrases.size()]));
    texts.positive.push_back(positive);
  }
  return texts;
}

}  // namespace safeguard::judges
