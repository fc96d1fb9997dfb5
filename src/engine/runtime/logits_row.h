// One row of logits: of the whole vocabulary, or of the ids that were asked for.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/check.h"

namespace safeguard::engine {

struct LogitsRow {
  std::span<const float> values;
  std::span<const std::uint32_t> ids = {};  // rising; empty: values[i] is of id i

  [[nodiscard]] std::uint32_t Id(std::size_t i) const {
    return ids.empty() ? static_cast<std::uint32_t>(i) : ids[i];
  }
  // REQUIRES: `id` is in the row.
  [[nodiscard]] float At(std::uint32_t id) const { return values[Place(id)]; }
  [[nodiscard]] std::size_t Place(std::uint32_t id) const {
    if (ids.empty()) {
      return id;
    }
    const auto it = std::ranges::lower_bound(ids, id);
    CHECK(it != ids.end() && *it == id);
    return static_cast<std::size_t>(it - ids.begin());
  }
};

}  // namespace safeguard::engine
