// Which experts a token goes to, and the tokens of each expert.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace safeguard::engine::cpu {

// `experts`: the indices of the `experts.size()` largest logits, largest first, of equal ones the
// lowest index first. `weights`: their softmax. A NaN counts as the smallest.
// REQUIRES: experts.size() == weights.size() <= logits.size().
void SelectExperts(std::span<const float> logits, std::span<std::uint32_t> experts,
                   std::span<float> weights);

// The (row, choice) pairs of a batch, ordered by expert, then row.
struct Routing {
  std::size_t choices = 0;             // experts a row
  std::vector<std::uint32_t> experts;  // [rows * choices], largest logit first
  std::vector<float> weights;          // [rows * choices]
  std::vector<std::size_t> slots;      // where pair row * choices + choice stands in the order
  std::vector<std::uint32_t> rows;     // by slot
  std::vector<std::size_t> begin;      // expert e has the slots [begin[e], begin[e + 1])
};

// `logits`: rows of `experts`, one after another.
Routing RouteTokens(std::span<const float> logits, std::size_t experts, std::size_t choices);

}  // namespace safeguard::engine::cpu
