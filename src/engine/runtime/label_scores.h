// Reads the probability of each of a few labels at one place of a sequence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "base/result.h"
#include "engine/generator.h"
#include "engine/runtime/logits_row.h"

namespace safeguard::engine {

// First the row at the place, then the rows behind each token of each path, which the caller feeds
// to forks of the sequence.
class LabelReading {
 public:
  using Tokens = std::vector<std::uint32_t>;

  // `labels[i]`: the tokens of label i from the place on, empty for one that cannot stand there.
  LabelReading(std::vector<Tokens> labels, bool relative);

  // The labels' first tokens, rising: with `relative` all that the first row must hold.
  [[nodiscard]] const std::vector<std::uint32_t>& first_tokens() const { return first_tokens_; }
  // What is to be fed: only the longest beginnings, the others are read on the way.
  [[nodiscard]] const std::vector<Tokens>& paths() const { return paths_; }

  Status ReadFirst(const LogitsRow& row);
  // `row`: the whole one behind the first `count` tokens of paths()[path].
  Status ReadBehind(std::size_t path, std::size_t count, std::span<const float> row);
  // REQUIRES: every row was read.
  [[nodiscard]] LabelScores Scores() const;

 private:
  // A place inside the labels: the tokens that may follow there, with their log-probabilities.
  using Place = std::map<std::uint32_t, double>;

  [[nodiscard]] double LogprobOf(const Tokens& label) const;

  std::vector<Tokens> labels_;
  bool relative_;
  std::vector<std::uint32_t> first_tokens_;
  std::map<Tokens, Place> places_;  // by the tokens before it
  std::vector<Tokens> paths_;
};

}  // namespace safeguard::engine
