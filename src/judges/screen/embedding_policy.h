// A policy as the embedding screen sees it: anchors, and a logistic layer where cases were given.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "judges/screen/anchors.h"
#include "judges/screen/logistic.h"
#include "judges/screen/screen.h"
#include "judges/screen/text_embedder.h"

namespace safeguard::judges {

// A labelled text and its embedding.
struct EmbeddedCase {
  const EmbeddedText* text;
  bool violating;
  bool background = false;  // an everyday text, safe, and not labelled by the policy's author
};

// prior = slope * (violating side - safe_share * safe side - margin). A side is the cosine to its
// nearest anchor and the mean cosine to its rules, in the proportion nearest_share : 1 -
// nearest_share: what is near one rule by chance is rarely near to them all. The values here were
// chosen on the shipped policies' golden sets, each policy scored with the values that were best on
// the others (docs/quality.md); a tuned encoder brings its own.
struct EmbeddingScoring {
  double slope = 8.0;
  double safe_share = 0.6;
  double margin = 0.13;
  double nearest_share = 1.0;
  // Rules are read without Markdown and without the punctuation at their ends, as in training.
  bool plain_rules = false;
  // Where all but some subjects violates ("only for recipes"), content as a whole has
  //   prior = slope * (rest_margin - safe side),
  // or the above where other rules violate too and it is higher.
  double rest_margin = 0.3;
};

class EmbeddingPolicy : public ScreenPolicy {
 public:
  // `anchors[i]` has the embedding anchor_embeddings[i * hidden ...].
  EmbeddingPolicy(moderation::Policy policy, std::vector<Anchor> anchors,
                  std::vector<float> anchor_embeddings, std::size_t hidden,
                  const EmbeddingScoring& scoring);

  // Fits the logistic layer; without cases of both sides it stays as it was.
  void Learn(std::span<const EmbeddedCase> cases);

  [[nodiscard]] const moderation::Policy& policy() const override { return policy_; }
  [[nodiscard]] ScreenScore Score(const EmbeddedText& text) const;

 private:
  struct Nearest {
    double similarity = 0;
    std::optional<std::size_t> rule;
  };
  [[nodiscard]] Nearest NearestAnchor(std::span<const float> embedding,
                                      moderation::Side side) const;
  [[nodiscard]] double SideSimilarity(std::span<const float> embedding,
                                      moderation::Side side) const;
  // `whole`: of the whole text and not of a sentence, which alone may well be off topic.
  [[nodiscard]] double Prior(std::span<const float> embedding, bool whole) const;
  [[nodiscard]] double UnitLogit(std::span<const float> embedding, bool whole) const;
  [[nodiscard]] std::optional<std::size_t> ViolatingRule(std::span<const float> embedding,
                                                         bool whole) const;
  [[nodiscard]] std::pair<std::size_t, double> BestUnit(const EmbeddedText& text,
                                                        std::size_t first) const;
  [[nodiscard]] std::span<const float> UnitOf(const EmbeddedText& text, std::size_t unit) const {
    return std::span(text.embeddings).subspan(unit * hidden_, hidden_);
  }

  moderation::Policy policy_;
  std::vector<Anchor> anchors_;
  std::vector<float> anchor_embeddings_;
  // [2][hidden]: means over the anchors that are rules, violating and safe; empty: no such anchor.
  std::array<std::vector<float>, 2> mean_rules_;
  std::optional<std::size_t> rest_;  // the rule by which what is unlike the safe side violates
  bool any_violating_ = false;       // an anchor of that side
  std::size_t hidden_;
  EmbeddingScoring scoring_;
  std::optional<LogisticModel> learned_;
};

}  // namespace safeguard::judges
