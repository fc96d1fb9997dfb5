#include "engine/runtime/sampler.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <set>
#include <string>

#include "base/check.h"
#include "engine/runtime/counter_random.h"

namespace safeguard::engine {
namespace {

// Numbers that are looked at side by side: a row has some 200,000, and every sequence one.
constexpr std::size_t kAbreast = 16;
constexpr std::size_t kStretch = 64 * kAbreast;

float LargestIn(std::span<const float> values) {
  std::array<float, kAbreast> largest;
  largest.fill(values.front());
  std::size_t i = 0;
  for (; i + kAbreast <= values.size(); i += kAbreast) {
    for (std::size_t lane = 0; lane < kAbreast; ++lane) {
      const float value = values[i + lane];
      largest[lane] = value > largest[lane] ? value : largest[lane];
    }
  }
  for (; i < values.size(); ++i) {
    largest[0] = std::max(largest[0], values[i]);
  }
  return *std::ranges::max_element(largest);
}

// The largest logit; of equal ones the lowest id.
std::uint32_t LargestOf(const LogitsRow& row) {
  std::size_t stretch = 0;
  float largest = -std::numeric_limits<float>::infinity();
  for (std::size_t begin = 0; begin < row.values.size(); begin += kStretch) {
    const std::size_t count = std::min(kStretch, row.values.size() - begin);
    if (const float here = LargestIn(row.values.subspan(begin, count)); here > largest) {
      largest = here;
      stretch = begin;
    }
  }
  const auto from = row.values.begin() + static_cast<std::ptrdiff_t>(stretch);
  return row.Id(
      static_cast<std::size_t>(std::find(from, row.values.end(), largest) - row.values.begin()));
}

std::unexpected<Error> NothingAllowed() {
  return Fail(ErrorCode::kInvalidInput, "no token of the vocabulary continues the answer",
              "the grammar asks for bytes that the tokenizer cannot write");
}

Status Range(const char* name, double value, double low, double high, bool low_allowed) {
  if (value > low && value <= high) {
    return {};
  }
  if (low_allowed && value == low) {
    return {};
  }
  return Fail(ErrorCode::kInvalidInput, std::string(name) + " is out of range",
              std::string("give a number ") + (low_allowed ? "from " : "above ") +
                  std::to_string(low) + " to " + std::to_string(high));
}

}  // namespace

Status CheckSampling(const SamplingSettings& settings, std::size_t vocabulary) {
  for (const Status& status :
       {Range("temperature", settings.temperature, 0, kTemperatureMax, true),
        Range("top_p", settings.top_p, 0, 1, false), Range("min_p", settings.min_p, 0, 1, true)}) {
    if (!status) {
      return status;
    }
  }
  if (settings.top_logprobs > kTopLogprobsMax || settings.logit_bias.size() > kLogitBiasMax) {
    return Fail(
        ErrorCode::kLimit, "too many top_logprobs or logit_bias entries",
        "at most " + std::to_string(kTopLogprobsMax) + " and " + std::to_string(kLogitBiasMax));
  }
  std::set<std::uint32_t> seen;
  for (const auto& [id, bias] : settings.logit_bias) {
    if (id >= vocabulary || !std::isfinite(bias) || !seen.insert(id).second) {
      return Fail(ErrorCode::kInvalidInput,
                  "logit_bias of token " + std::to_string(id) + " cannot be used",
                  "ids must be in the vocabulary, each once, with a finite number");
    }
  }
  return {};
}

double LogSumExp(std::span<const float> logits) {
  const double largest = LargestIn(logits);
  double sum = 0;
  for (const float logit : logits) {
    sum += std::exp(static_cast<double>(logit) - largest);
  }
  return largest + std::log(sum);
}

std::vector<TokenLogprob> TopLogprobs(std::span<const float> logits, double log_sum_exp,
                                      std::size_t count) {
  std::vector<std::uint32_t> ids(logits.size());
  for (std::uint32_t id = 0; id < ids.size(); ++id) {
    ids[id] = id;
  }
  count = std::min(count, ids.size());
  const auto end = ids.begin() + static_cast<std::ptrdiff_t>(count);
  std::partial_sort(ids.begin(), end, ids.end(), [logits](std::uint32_t a, std::uint32_t b) {
    return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
  });
  std::vector<TokenLogprob> top;
  top.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    top.push_back({ids[i], static_cast<double>(logits[ids[i]]) - log_sum_exp});
  }
  return top;
}

Status CheckFinite(const LogitsRow& row) {
  // As integers, which a compiler takes several of at a time.
  std::uint32_t largest = 0;
  for (const float logit : row.values) {
    largest = std::max(largest, std::bit_cast<std::uint32_t>(logit) & 0x7FFFFFFFU);
  }
  if (largest < std::bit_cast<std::uint32_t>(std::numeric_limits<float>::infinity())) {
    return {};
  }
  const auto bad =
      std::ranges::find_if(row.values, [](float logit) { return !std::isfinite(logit); });
  return Fail(
      ErrorCode::kUnavailable,
      "the model gave a logit that is not a number for token " +
          std::to_string(row.Id(static_cast<std::size_t>(bad - row.values.begin()))),
      "the weights are damaged or the computation overflowed: run `safeguard model verify`");
}

Result<GeneratedToken> Sampler::Choose(const LogitsRow& row, const SamplingSettings& settings,
                                       TokenFilter* filter, std::uint64_t position) {
  if (Status finite = CheckFinite(row); !finite) {
    return std::unexpected(std::move(finite.error()));
  }
  LogitsRow scores = row;
  if (!settings.logit_bias.empty()) {
    biased_.assign(row.values.begin(), row.values.end());
    for (const auto& [id, bias] : settings.logit_bias) {
      if (row.ids.empty() || std::ranges::binary_search(row.ids, id)) {
        biased_[row.Place(id)] += bias;
      }
    }
    scores.values = biased_;
  }
  const Result<std::uint32_t> id =
      settings.temperature == 0 ? Greedy(scores, filter) : Draw(scores, settings, filter, position);
  if (!id) {
    return std::unexpected(id.error());
  }
  GeneratedToken token{.id = *id, .forced = false, .logprob = {}, .top = {}};
  if (settings.logprobs || settings.top_logprobs > 0) {
    CHECK(row.ids.empty());
    const double log_sum_exp = LogSumExp(row.values);
    token.logprob = static_cast<double>(row.values[*id]) - log_sum_exp;
    token.top = TopLogprobs(row.values, log_sum_exp, settings.top_logprobs);
  }
  return token;
}

Result<std::uint32_t> Sampler::Greedy(const LogitsRow& row, TokenFilter* filter) {
  const std::uint32_t largest = LargestOf(row);
  if (filter == nullptr || filter->Allows(largest)) {
    return largest;
  }
  bool found = false;
  std::uint32_t best = 0;
  float best_logit = 0;
  filter->Mask().ForEach([&](std::uint32_t id) {
    const float logit = row.At(id);
    if (!found || logit > best_logit) {
      best = id;
      best_logit = logit;
      found = true;
    }
  });
  if (!found) {
    return NothingAllowed();
  }
  return best;
}

void Sampler::KeepTopK(std::size_t k) {
  if (k == 0 || k >= candidates_.size()) {
    return;
  }
  std::ranges::nth_element(candidates_, candidates_.begin() + static_cast<std::ptrdiff_t>(k),
                           [](const Candidate& a, const Candidate& b) {
                             return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
                           });
  candidates_.resize(k);
}

// Sorts only as much as the sum needs: a model that is sure needs a handful of 200,000.
void Sampler::KeepTopP(double p) {
  if (p >= 1) {
    return;
  }
  const auto likelier = [](const Candidate& a, const Candidate& b) {
    return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
  };
  // The total in the order of the ids, so that it does not depend on how top-k left the list.
  std::ranges::sort(candidates_, {}, &Candidate::id);
  double total = 0;
  for (const Candidate& candidate : candidates_) {
    total += candidate.weight;
  }
  double sum = 0;
  std::size_t kept = 0;
  for (std::size_t sorted = 256;; sorted *= 4) {
    const std::size_t count = std::min(sorted, candidates_.size());
    const auto middle = candidates_.begin() + static_cast<std::ptrdiff_t>(count);
    std::partial_sort(candidates_.begin() + static_cast<std::ptrdiff_t>(kept), middle,
                      candidates_.end(), likelier);
    while (kept < count) {
      sum += candidates_[kept++].weight;
      if (sum >= p * total) {
        candidates_.resize(kept);
        return;
      }
    }
    if (count == candidates_.size()) {
      return;  // rounding kept the sum just below
    }
  }
}

Result<std::uint32_t> Sampler::Draw(const LogitsRow& row, const SamplingSettings& settings,
                                    TokenFilter* filter, std::uint64_t position) {
  candidates_.clear();
  if (filter != nullptr) {
    filter->Mask().ForEach([&](std::uint32_t id) { candidates_.push_back({row.At(id), id, 0}); });
  } else {
    CHECK(row.ids.empty());
    for (std::uint32_t id = 0; id < row.values.size(); ++id) {
      candidates_.push_back({row.values[id], id, 0});
    }
  }
  if (candidates_.empty()) {
    return NothingAllowed();
  }
  KeepTopK(settings.top_k);
  const double largest = std::ranges::max_element(candidates_, {}, &Candidate::logit)->logit;
  for (Candidate& candidate : candidates_) {
    candidate.weight =
        std::exp((static_cast<double>(candidate.logit) - largest) / settings.temperature);
  }
  KeepTopP(settings.top_p);
  // Weights are relative to the likeliest, which has weight 1 and is never dropped.
  std::erase_if(candidates_, [&](const Candidate& c) { return c.weight < settings.min_p; });
  if (settings.top_k != 0 || settings.top_p < 1) {
    std::ranges::sort(candidates_, {}, &Candidate::id);
  }
  double total = 0;
  for (const Candidate& candidate : candidates_) {
    total += candidate.weight;
  }
  const double target = UniformAt(settings.seed, position) * total;
  double sum = 0;
  const Candidate* last = nullptr;  // with a weight above zero
  for (const Candidate& candidate : candidates_) {
    sum += candidate.weight;
    last = candidate.weight > 0 ? &candidate : last;
    if (sum > target) {
      return candidate.id;
    }
  }
  CHECK(last != nullptr);
  return last->id;
}

}  // namespace safeguard::engine
