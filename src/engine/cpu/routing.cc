#include "engine/cpu/routing.h"

#include <cmath>
#include <limits>

#include "base/check.h"

namespace safeguard::engine::cpu {

void SelectExperts(std::span<const float> logits, std::span<std::uint32_t> experts,
                   std::span<float> weights) {
  const std::size_t count = experts.size();
  CHECK(count == weights.size() && count > 0 && count <= logits.size());
  std::size_t kept = 0;
  for (std::size_t e = 0; e < logits.size(); ++e) {
    const float least = -std::numeric_limits<float>::infinity();
    const float logit = std::isnan(logits[e]) ? least : logits[e];
    std::size_t place = kept;
    while (place > 0 && weights[place - 1] < logit) {
      --place;
    }
    if (place == count) {
      continue;
    }
    kept = kept < count ? kept + 1 : count;
    for (std::size_t i = kept - 1; i > place; --i) {
      weights[i] = weights[i - 1];
      experts[i] = experts[i - 1];
    }
    weights[place] = logit;
    experts[place] = static_cast<std::uint32_t>(e);
  }
  const float largest = weights[0];
  float total = 0;
  for (float& weight : weights) {
    weight = std::exp(weight - largest);
    total += weight;
  }
  for (float& weight : weights) {
    weight /= total;
  }
}

Routing RouteTokens(std::span<const float> logits, std::size_t experts, std::size_t choices) {
  const std::size_t rows = logits.size() / experts;
  Routing routing;
  routing.choices = choices;
  routing.experts.resize(rows * choices);
  routing.weights.resize(rows * choices);
  routing.begin.assign(experts + 1, 0);
  for (std::size_t row = 0; row < rows; ++row) {
    SelectExperts(logits.subspan(row * experts, experts),
                  std::span(routing.experts).subspan(row * choices, choices),
                  std::span(routing.weights).subspan(row * choices, choices));
  }
  for (const std::uint32_t expert : routing.experts) {
    ++routing.begin[expert + 1];
  }
  for (std::size_t e = 0; e < experts; ++e) {
    routing.begin[e + 1] += routing.begin[e];
  }
  std::vector<std::size_t> next(routing.begin.begin(), routing.begin.end() - 1);
  routing.slots.resize(rows * choices);
  routing.rows.resize(rows * choices);
  for (std::size_t pair = 0; pair < rows * choices; ++pair) {
    const std::size_t slot = next[routing.experts[pair]]++;
    routing.slots[pair] = slot;
    routing.rows[slot] = static_cast<std::uint32_t>(pair / choices);
  }
  return routing;
}

}  // namespace safeguard::engine::cpu
