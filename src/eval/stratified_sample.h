// How often something happens in a finite set of items, from judging some of them: stratified
// sampling without replacement in two rounds, and an interval that stays honest when it is rare.
//
// The first round (the pilot) is shared out by size. The second goes where an item more tells most:
// the more hits the pilot saw, the more of it follows size times standard deviation (Neyman 1934);
// without any it follows size. Because the second round depends on the first, the two are joined
// with weights fixed beforehand, and the second counts only towards what the first left over: the
// estimate is unbiased whatever the pilot saw. The interval is that of Fay and Feuer (1997) for
// weighted sums of counts, gamma limits that hold their level for few counts and for none, narrowed
// for the finite population. A stratum judged whole adds no doubt.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/result.h"

namespace safeguard::eval {

// Items drawn alike: a stratum in one round.
struct SampleCell {
  double weight = 1;        // items that each item here stands for
  std::size_t size = 0;     // items it was drawn from
  std::size_t sampled = 0;  // at most `size`
  std::size_t hits = 0;     // at most `sampled`
  bool whole = false;       // its stratum was judged whole: no doubt
};

// Of all items: hits in number; `low` and `high` are never outside of what was seen for certain.
struct TotalEstimate {
  double total = 0;
  double low = 0;
  double high = 0;
};
// The sum of weight times sampled over all cells is the number of items.
TotalEstimate EstimateTotal(std::span<const SampleCell> cells, double confidence);

struct SampleOptions {
  std::size_t sample = 0;  // items to judge in all; at least as many as items: all are judged
  std::uint64_t seed = 1;
};

// Judges the items and says for each whether it hit. An error ends the sampling.
using HitFunction =
    std::function<Result<std::vector<std::uint8_t>>(std::span<const std::size_t> items)>;

struct SampleOutcome {
  std::vector<SampleCell> cells;
  std::vector<std::size_t> judged;     // items, in the order in which they were judged
  std::vector<std::uint32_t> cell_of;  // of judged[i]: index into cells
  std::size_t strata = 0;
};

// `stratum_of[i]` is the stratum of item i; strata are numbered from 0, at most kStrataMax.
// Deterministic. Strata too small for two rounds are judged whole as long as the sample allows.
inline constexpr std::size_t kStrataMax = 64;
Result<SampleOutcome> SampleStrata(std::span<const std::uint32_t> stratum_of,
                                   const HitFunction& hit, const SampleOptions& options);

}  // namespace safeguard::eval
