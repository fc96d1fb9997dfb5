// Chooses one token from one row of logits, as engine/sampling.h defines it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "engine/runtime/logits_row.h"
#include "engine/runtime/token_trie.h"
#include "engine/sampling.h"

namespace safeguard::engine {

// What may be chosen. Asked token by token first: a greedy choice that is allowed needs no mask.
class TokenFilter {
 public:
  virtual ~TokenFilter() = default;
  virtual bool Allows(std::uint32_t id) = 0;
  // Every allowed token; lives until the next call.
  virtual const TokenMask& Mask() = 0;
};

// log(sum(exp(logits))), in double and in the order of the ids. REQUIRES: finite logits.
double LogSumExp(std::span<const float> logits);

// The `count` likeliest tokens. REQUIRES: finite logits.
std::vector<TokenLogprob> TopLogprobs(std::span<const float> logits, double log_sum_exp,
                                      std::size_t count);

// kUnavailable naming the first token whose logit is not a finite number.
Status CheckFinite(const LogitsRow& row);

// Keeps scratch memory of a row. Not thread-safe.
class Sampler {
 public:
  // `filter` may be null. `position`: of the chosen token in its sequence. A row that is not whole
  // gives the same token as the whole one. REQUIRES: CheckSampling; a row that is not whole holds
  // all that the filter allows, and no log-probabilities are asked for.
  Result<GeneratedToken> Choose(const LogitsRow& row, const SamplingSettings& settings,
                                TokenFilter* filter, std::uint64_t position);

 private:
  struct Candidate {
    float logit;
    std::uint32_t id;
    double weight;  // exp((logit - largest) / temperature)
  };

  static Result<std::uint32_t> Greedy(const LogitsRow& row, TokenFilter* filter);
  Result<std::uint32_t> Draw(const LogitsRow& row, const SamplingSettings& settings,
                             TokenFilter* filter, std::uint64_t position);
  void KeepTopK(std::size_t k);
  void KeepTopP(double p);

  std::vector<float> biased_;
  std::vector<Candidate> candidates_;
};

}  // namespace safeguard::engine
