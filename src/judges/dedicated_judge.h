// Classifiers that were trained for one policy each, as a Judge: a part of the screen that rests on
// somebody's own labels and not on the policy's text.
//
// A verdict cites no rule, for the classifier knows none; its evidence is the sentence that weighs
// most. Its score is the calibrated probability. Thresholds are the policy's where it states some,
// else the ones found in training.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "moderation/judge.h"

namespace safeguard::judges {

// The classifier that answers for a policy now.
struct InstalledClassifier {
  std::string name;
  int version = 0;
  std::string hash;   // of the file
  std::string bytes;  // of the file
  // Undetermined where the bounds found in training do not decide; else it always decides.
  bool band = false;
};

// Fails with kNotFound, and what to do about it, where the policy has none.
using ClassifierSource = std::function<Result<InstalledClassifier>(const moderation::Policy&)>;

struct DedicatedOptions {
  ClassifierSource source;  // called from Prepare alone
  // Holds the encoder; opened when a classifier needs it. A function, because it is looked for only
  // then.
  std::function<Result<std::string>()> model_folder;
  std::size_t threads = 1;                  // at least 1
  std::size_t content_bytes_max = 1 << 20;  // longer content is undetermined (content_too_long)
  // What must be told but is no failure, such as labels of another text of the policy. May be
  // empty.
  std::function<void(const std::string&)> on_note;
};

// Prepare fails where a policy has no classifier, its file is damaged, its encoder is another one,
// or its band is wanted and it has none. Content is read in all canonical views; the highest
// counts.
std::unique_ptr<moderation::Judge> OpenDedicatedJudge(DedicatedOptions options);

}  // namespace safeguard::judges
