// How the next token is chosen from a row of logits.
//
// The order is that of Hugging Face's generate(): logit bias and grammar mask first, then
// temperature, top-k, top-p, min-p, then one draw. With z the logits after bias and mask:
//   temperature T > 0   z / T. T = 0 is greedy: the largest z, and no other filter matters.
//   top-k               the k largest z. Equal ones: the lower id first, so exactly k remain.
//   top-p               in that order, the shortest list whose softmax sum reaches top_p; at least
//                       one token. The softmax is over what top-k has left.
//   min-p               drops every token less likely than min_p times the likeliest.
//   draw                by inverse CDF over what is left, in the order of the ids, with one 53-bit
//                       uniform number from Philox4x32-10 keyed by the seed and counted by the
//                       token's position in its sequence: the batch has no part in it.
//
// Log-probabilities are of the model: log-softmax of the raw logits over the whole vocabulary,
// before bias, mask and temperature, summed in double in the order of the ids.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/result.h"

namespace safeguard::engine {

inline constexpr std::size_t kTopLogprobsMax = 64;
inline constexpr std::size_t kLogitBiasMax = 1024;  // entries
inline constexpr double kTemperatureMax = 100;

struct SamplingSettings {
  double temperature = 0;  // [0, kTemperatureMax]; 0: greedy
  std::size_t top_k = 0;   // 0: off
  double top_p = 1;        // (0, 1]; 1: off
  double min_p = 0;        // [0, 1]; 0: off
  std::uint64_t seed = 0;
  // Added to the logits; ids below the vocabulary, each at most once, finite values.
  std::vector<std::pair<std::uint32_t, float>> logit_bias = {};
  bool logprobs = true;          // costs one pass of exp() over the vocabulary
  std::size_t top_logprobs = 0;  // the likeliest tokens to report with each sampled one
};

// kInvalidInput, naming the setting.
Status CheckSampling(const SamplingSettings& settings, std::size_t vocabulary);

struct TokenLogprob {
  std::uint32_t id = 0;
  double logprob = 0;
  friend bool operator==(const TokenLogprob&, const TokenLogprob&) = default;
};

// A token of an answer.
struct GeneratedToken {
  std::uint32_t id = 0;
  bool forced = false;                 // went through as prefill: there was nothing to choose
  std::optional<double> logprob = {};  // none when forced or not asked for
  std::vector<TokenLogprob> top = {};  // likeliest first; equal ones: lower id first
  friend bool operator==(const GeneratedToken&, const GeneratedToken&) = default;
};

}  // namespace safeguard::engine
