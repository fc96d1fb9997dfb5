// How much a text is worded like the prompt injections that were learned from: a logistic
// regression over hashed words and pairs of words. tools/train/train_tamper.py makes the weights
// and must read a text as this does.
#pragma once

#include <cstddef>
#include <string_view>

namespace safeguard::moderation::tamper {

struct WordingWeights {
  double scale;  // of one step of a digit
  double bias;
  std::string_view digits;  // one of 64 a weight, 2^14 of them; "f" is 0
};

extern const WordingWeights kWording;

struct WordingFinding {
  double score = 0;       // log-odds
  std::size_t begin = 0;  // bytes of the stretch that has it
  std::size_t end = 0;
};

// The most suspicious stretch of 128 words and signs, of every such stretch that begins at a
// multiple of 64. Lower-case text. Linear time; thread-safe.
WordingFinding WordingOf(std::string_view text);

// From here on the wording decides alone (of deepset's train part, in five folds: 0.72 of the
// injections, 0.006 of the rest), and from there on together with another sign.
inline constexpr double kWordingDecides = -0.5;
inline constexpr double kWordingPoints = -1.0;

}  // namespace safeguard::moderation::tamper
