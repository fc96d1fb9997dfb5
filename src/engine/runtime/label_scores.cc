#include "engine/runtime/label_scores.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "engine/runtime/sampler.h"

namespace safeguard::engine {
namespace {

using Tokens = std::vector<std::uint32_t>;

// A place inside the labels: the tokens that may follow there, with their log-probabilities.
using Place = std::map<std::uint32_t, double>;
using Places = std::map<Tokens, Place>;  // by the tokens before it

Places PlacesOf(std::span<const Tokens> labels) {
  Places places;
  for (const Tokens& label : labels) {
    for (std::size_t i = 0; i < label.size(); ++i) {
      const auto end = label.begin() + static_cast<std::ptrdiff_t>(i);
      places[Tokens(label.begin(), end)][label[i]] = 0;
    }
  }
  return places;
}

Status ReadRow(std::span<const float> row, Place& place) {
  if (Status finite = CheckFinite(row); !finite) {
    return finite;
  }
  const double log_sum_exp = LogSumExp(row);
  for (auto& [id, logprob] : place) {
    logprob = static_cast<double>(row[id]) - log_sum_exp;
  }
  return {};
}

// Feeds `path` to a fork and reads the places after each of its tokens.
Status ReadPath(Forward& forward, SequenceId sequence, const Tokens& path, Places& places) {
  const std::size_t vocabulary = forward.config().vocabulary;
  std::vector<float> logits(path.size() * vocabulary);
  const SequenceId fork = forward.Fork(sequence);
  const SequenceStep step{.sequence = fork, .tokens = path, .logits = path.size()};
  Status status = forward.Step({&step, 1}, logits);
  forward.Drop(fork);
  for (std::size_t i = 0; i < path.size() && status; ++i) {
    const auto end = path.begin() + static_cast<std::ptrdiff_t>(i + 1);
    status = ReadRow(std::span(logits).subspan(i * vocabulary, vocabulary),
                     places.at(Tokens(path.begin(), end)));
  }
  return status;
}

double LogprobOf(const Tokens& label, const Places& places) {
  if (label.empty()) {
    return -std::numeric_limits<double>::infinity();
  }
  double logprob = 0;
  for (std::size_t i = 0; i < label.size(); ++i) {
    const auto end = label.begin() + static_cast<std::ptrdiff_t>(i);
    logprob += places.at(Tokens(label.begin(), end)).at(label[i]);
  }
  const auto longer = places.find(label);  // labels that go on from here
  if (longer != places.end()) {
    double on = 0;
    for (const auto& [id, part] : longer->second) {
      on += std::exp(part);
    }
    logprob += std::log1p(-std::min(on, 1.0));
  }
  return logprob;
}

}  // namespace

Result<LabelScores> ScoreLabels(Forward& forward, SequenceId sequence, std::span<const float> row,
                                std::span<const std::vector<std::uint32_t>> labels) {
  Places places = PlacesOf(labels);
  if (Status status = ReadRow(row, places[{}]); !status) {
    return std::unexpected(std::move(status.error()));
  }
  // Only the longest paths are fed: a place inside one is read on the way.
  for (const auto& [path, place] : Places(places)) {
    const bool last = std::ranges::none_of(place, [&, &before = path](const auto& next) {
      Tokens on = before;
      on.push_back(next.first);
      return places.contains(on);
    });
    if (path.empty() || !last) {
      continue;
    }
    if (Status status = ReadPath(forward, sequence, path, places); !status) {
      return std::unexpected(std::move(status.error()));
    }
  }
  LabelScores scores;
  for (const Tokens& label : labels) {
    scores.logprobs.push_back(LogprobOf(label, places));
    scores.mass += std::exp(scores.logprobs.back());
  }
  // Relative to the likeliest label: all of them may be far too unlikely for exp().
  const double largest = *std::ranges::max_element(scores.logprobs);
  double sum = 0;
  for (const double logprob : scores.logprobs) {
    sum += std::isinf(largest) ? 0 : std::exp(logprob - largest);
  }
  for (const double logprob : scores.logprobs) {
    scores.probabilities.push_back(sum == 0 ? 1.0 / static_cast<double>(labels.size())
                                            : std::exp(logprob - largest) / sum);
  }
  return scores;
}

double LabelScores::LogOdds(std::size_t i) const {
  if (std::isinf(logprobs[i])) {
    return logprobs[i];
  }
  double others = 0;
  for (std::size_t k = 0; k < logprobs.size(); ++k) {
    others += k == i ? 0 : std::exp(logprobs[k] - logprobs[i]);
  }
  return -std::log(others);
}

}  // namespace safeguard::engine
