// The work that `safeguard bench` times, all of it through the generator that verdicts come from.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/result.h"
#include "engine/generator.h"

namespace safeguard::apps {

// Tokens are random, the same for the same numbers. No two contents are alike: equal ones would
// share experts and flatter the engine.
struct BenchShape {
  std::size_t vocabulary = 0;  // ids are drawn below it, and below the control tokens
  std::size_t policy_tokens = 1500;
  std::size_t content_tokens = 100;
  std::size_t answer_tokens = 150;
  std::uint64_t seed = 1;
};

struct BenchRate {
  double rate = 0;
  // Experts that a step read, all layers together, while all sequences decoded; 0: nothing did.
  double expert_reads = 0;
};

// Every function gives a rate, or an error when a request failed or `stop` was set.

// Tokens a second of one prompt of `tokens`, nothing shared, until its first token is sampled.
Result<BenchRate> MeasurePrefill(engine::Generator& generator, const BenchShape& shape,
                                 std::size_t tokens, const std::atomic<bool>& stop);
// Tokens a second of all `batch` sequences together, counted while every one of them decodes:
// behind a shared policy and contents of their own.
Result<BenchRate> MeasureDecode(engine::Generator& generator, const BenchShape& shape,
                                std::size_t batch, std::size_t answer_tokens,
                                const std::atomic<bool>& stop);
// Contents a minute: the policy computed before, then `in_flight` contents at once, each with an
// answer of answer_tokens.
Result<BenchRate> MeasureItems(engine::Generator& generator, const BenchShape& shape,
                               std::size_t in_flight, const std::atomic<bool>& stop);
// Contents a second when only two labels' scores are wanted; the policy computed before.
Result<BenchRate> MeasureInstant(engine::Generator& generator, const BenchShape& shape,
                                 std::size_t count, const std::atomic<bool>& stop);

}  // namespace safeguard::apps
