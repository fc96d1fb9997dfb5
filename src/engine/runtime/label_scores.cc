#include "engine/runtime/label_scores.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/runtime/sampler.h"

namespace safeguard::engine {
namespace {

std::vector<std::uint32_t> Beginning(const std::vector<std::uint32_t>& tokens, std::size_t count) {
  return {tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(count)};
}

}  // namespace

LabelReading::LabelReading(std::vector<Tokens> labels, bool relative)
    : labels_(std::move(labels)), relative_(relative) {
  for (const Tokens& label : labels_) {
    for (std::size_t i = 0; i < label.size(); ++i) {
      places_[Beginning(label, i)][label[i]] = 0;
    }
  }
  for (const auto& [id, logprob] : places_[{}]) {
    first_tokens_.push_back(id);
  }
  for (const auto& [path, place] : places_) {
    const bool last = std::ranges::none_of(place, [&, &before = path](const auto& next) {
      Tokens on = before;
      on.push_back(next.first);
      return places_.contains(on);
    });
    if (!path.empty() && last) {
      paths_.push_back(path);
    }
  }
}

Status LabelReading::ReadFirst(const LogitsRow& row) {
  if (Status finite = CheckFinite(row); !finite) {
    return finite;
  }
  Place& place = places_[{}];
  if (!relative_) {
    const double log_sum_exp = LogSumExp(row.values);
    for (auto& [id, logprob] : place) {
      logprob = static_cast<double>(row.At(id)) - log_sum_exp;
    }
  } else if (!place.empty()) {
    std::vector<float> values;
    for (const std::uint32_t id : first_tokens_) {
      values.push_back(row.At(id));
    }
    const double log_sum_exp = LogSumExp(values);
    for (std::size_t i = 0; i < values.size(); ++i) {
      place[first_tokens_[i]] = static_cast<double>(values[i]) - log_sum_exp;
    }
  }
  return {};
}

Status LabelReading::ReadBehind(std::size_t path, std::size_t count, std::span<const float> row) {
  if (Status finite = CheckFinite({row}); !finite) {
    return finite;
  }
  const double log_sum_exp = LogSumExp(row);
  for (auto& [id, logprob] : places_.at(Beginning(paths_[path], count))) {
    logprob = static_cast<double>(row[id]) - log_sum_exp;
  }
  return {};
}

double LabelReading::LogprobOf(const Tokens& label) const {
  if (label.empty()) {
    return -std::numeric_limits<double>::infinity();
  }
  double logprob = 0;
  for (std::size_t i = 0; i < label.size(); ++i) {
    logprob += places_.at(Beginning(label, i)).at(label[i]);
  }
  const auto longer = places_.find(label);  // labels that go on from here
  if (longer != places_.end()) {
    double on = 0;
    for (const auto& [id, part] : longer->second) {
      on += std::exp(part);
    }
    logprob += std::log1p(-std::min(on, 1.0));
  }
  return logprob;
}

LabelScores LabelReading::Scores() const {
  LabelScores scores;
  double mass = 0;
  for (const Tokens& label : labels_) {
    scores.logprobs.push_back(LogprobOf(label));
    mass += std::exp(scores.logprobs.back());
  }
  if (!relative_) {
    scores.mass = mass;
  }
  // Relative to the likeliest label: all of them may be far too unlikely for exp().
  const double largest = *std::ranges::max_element(scores.logprobs);
  double sum = 0;
  for (const double logprob : scores.logprobs) {
    sum += std::isinf(largest) ? 0 : std::exp(logprob - largest);
  }
  for (const double logprob : scores.logprobs) {
    scores.probabilities.push_back(sum == 0 ? 1.0 / static_cast<double>(labels_.size())
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
