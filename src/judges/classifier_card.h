// What is known of a dedicated classifier: one trained for one policy on somebody's own labels.
// In the file it comes before the weights; see docs/dedicated.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "moderation/calibration.h"
#include "moderation/verdict.h"

namespace safeguard::judges {

enum class ClassifierKind {
  kWords,  // fastText over words and pieces of words
  kHead,   // logistic regression on the encoder's embedding
};

// Both bounds hold with `confidence` over draws of labels from the same source.
struct UncertainBand {
  double safe = 0;  // below this probability: safe; at most `miss_rate` of violations are there
  double violation = 1;  // at or above: a violation; at most `alarm_rate` of safe texts are there
  double miss_rate = 0;
  double alarm_rate = 0;
  double confidence = 0;
};

struct ClassifierCard {
  ClassifierKind kind = ClassifierKind::kWords;
  moderation::PolicyReference policy;  // that the labels were given under
  std::string encoder_hash;            // of a head: SHA-256 of the encoder's weights
  std::string encoder_arithmetic;      // of a head: see engine/encoder.h
  std::size_t width = 0;               // of a head: the encoder's
  std::size_t positives = 0;           // texts that it was trained on
  std::size_t negatives = 0;
  // Whether texts in other scripts than Latin were among them, so that it may call such safe.
  bool other_scripts = false;
  moderation::ScoreMap map;  // raw score to probability
  double threshold = 0.5;    // probability at or above which it is a violation
  std::optional<UncertainBand> band;
  std::string why_no_band;  // where it has none
  std::string labels_hash;  // BLAKE2b over texts and labels
  std::uint64_t seed = 0;
  std::string report;  // the figures of its training as JSON; "" when there are none
};

inline constexpr std::size_t kClassifierBytesMax = std::size_t{1} << 30;
inline constexpr std::size_t kCardBytesMax = std::size_t{1} << 20;

const char* ToString(ClassifierKind kind);  // "words", "head"

// A whole classifier file as `screen train` installs it.
struct ClassifierFile {
  ClassifierCard card;
  std::string_view weights;  // into the bytes that were read
};

std::string WriteClassifier(const ClassifierCard& card, std::string_view weights);

// Never throws, whatever the bytes; the hash at the end is checked before anything is believed.
// Fails, naming `name` and what is wrong: kCorruptFile for another kind of file, a cut one, a
// changed byte, or a field out of its range; kUnavailable for one of a later format; kLimit.
Result<ClassifierFile> ReadClassifier(std::string_view bytes, const std::string& name);

}  // namespace safeguard::judges
