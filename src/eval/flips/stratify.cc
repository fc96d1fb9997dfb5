// Strata of contents: score band, language, surface.
#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "base/check.h"
#include "eval/blast_radius.h"

namespace safeguard::eval {
namespace {

// Narrow around the usual threshold, where a change of a policy turns most.
constexpr std::array<double, 8> kBands = {0.02, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9};
constexpr std::size_t kSampleForAStratum = 20;

std::uint32_t BandOf(const std::optional<double>& score) {
  if (!score) {
    return 0;
  }
  return 1 + static_cast<std::uint32_t>(std::ranges::upper_bound(kBands, *score) - kBands.begin());
}

}  // namespace

std::vector<std::uint32_t> StratifyContents(std::span<const Record> records,
                                            std::span<const std::optional<double>> scores,
                                            std::size_t sample) {
  CHECK(scores.empty() || scores.size() == records.size());
  using Group = std::pair<std::string, std::string>;
  std::map<Group, std::size_t> sizes;
  std::map<std::uint32_t, std::size_t> bands;
  for (std::size_t i = 0; i < records.size(); ++i) {
    ++sizes[{records[i].content.language, records[i].content.surface}];
    ++bands[scores.empty() ? 0 : BandOf(scores[i])];
  }
  std::vector<std::pair<std::size_t, Group>> by_size;
  for (const auto& [group, size] : sizes) {
    by_size.emplace_back(size, group);
  }
  std::ranges::stable_sort(by_size, [](const auto& a, const auto& b) { return a.first > b.first; });
  const std::size_t strata_max =
      std::clamp<std::size_t>(sample / kSampleForAStratum, 1, kStrataMax);
  const std::size_t groups_max =
      std::max<std::size_t>(1, strata_max / std::max<std::size_t>(bands.size(), 1));
  std::map<Group, std::uint32_t> group_of;
  for (std::size_t g = 0; g < by_size.size(); ++g) {
    group_of[by_size[g].second] = static_cast<std::uint32_t>(std::min(g, groups_max - 1));
  }
  const bool banded = bands.size() <= strata_max;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> numbers;
  std::vector<std::uint32_t> strata;
  strata.reserve(records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    const std::uint32_t band = scores.empty() || !banded ? 0 : BandOf(scores[i]);
    const moderation::Content& content = records[i].content;
    const auto cell = std::pair(band, group_of[{content.language, content.surface}]);
    strata.push_back(
        numbers.try_emplace(cell, static_cast<std::uint32_t>(numbers.size())).first->second);
  }
  return strata;
}

}  // namespace safeguard::eval
