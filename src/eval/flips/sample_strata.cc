// The two rounds of a stratified sample.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <utility>

#include "base/check.h"
#include "eval/bootstrap.h"
#include "eval/stratified_sample.h"

namespace safeguard::eval {
namespace {

constexpr double kPilotShare = 0.2;  // of the sample
// How far the second round may follow the pilot, and the hits at which it follows that far.
constexpr double kNeymanShareMax = 0.7;
constexpr double kHitsForTrust = 20;

// Shares `count` out in proportion to `weights`, at most `room` each: largest remainders, and what
// does not fit goes round again.
std::vector<std::size_t> ShareOut(std::size_t count, const std::vector<double>& weights,
                                  const std::vector<std::size_t>& room) {
  std::vector<std::size_t> given(weights.size());
  while (count > 0) {
    double sum = 0;
    for (std::size_t s = 0; s < weights.size(); ++s) {
      sum += given[s] < room[s] ? weights[s] : 0;
    }
    if (sum <= 0) {
      break;
    }
    std::vector<std::pair<double, std::size_t>> remainders;
    std::size_t placed = 0;
    for (std::size_t s = 0; s < weights.size(); ++s) {
      if (given[s] >= room[s] || weights[s] <= 0) {
        continue;
      }
      const double due = static_cast<double>(count) * weights[s] / sum;
      const std::size_t whole = std::min(static_cast<std::size_t>(due), room[s] - given[s]);
      given[s] += whole;
      placed += whole;
      remainders.emplace_back(due - std::floor(due), s);
    }
    std::ranges::stable_sort(remainders,
                             [](const auto& a, const auto& b) { return a.first > b.first; });
    if (placed == 0) {
      for (const auto& [rest, s] : remainders) {
        if (placed < count && given[s] < room[s]) {
          ++given[s];
          ++placed;
        }
      }
    }
    if (placed == 0) {
      break;
    }
    count -= placed;
  }
  return given;
}

std::size_t Sum(const std::vector<std::size_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::size_t{0});
}

class Sampler {
 public:
  Sampler(std::span<const std::uint32_t> stratum_of, const HitFunction& hit,
          const SampleOptions& options)
      : hit_(hit), sample_(std::min(options.sample, stratum_of.size())) {
    for (std::size_t i = 0; i < stratum_of.size(); ++i) {
      CHECK(stratum_of[i] < kStrataMax);
      items_.resize(std::max<std::size_t>(items_.size(), stratum_of[i] + 1));
      items_[stratum_of[i]].push_back(i);
    }
    std::mt19937_64 random(options.seed);
    for (std::vector<std::size_t>& items : items_) {
      for (std::size_t i = items.size(); i > 1; --i) {
        std::swap(items[i - 1], items[UniformBelow(random, static_cast<std::uint32_t>(i))]);
      }
    }
    whole_ = sample_ == stratum_of.size();
  }

  Result<SampleOutcome> Run() {
    const auto pilot =
        whole_ ? sample_ : static_cast<std::size_t>(kPilotShare * static_cast<double>(sample_));
    const std::vector<std::size_t> first = FirstShares(pilot);
    if (Status judged = Judge(first, std::vector<std::size_t>(items_.size())); !judged) {
      return std::unexpected(judged.error());
    }
    const std::vector<std::size_t> second = SecondShares(first, sample_ - Sum(first));
    if (Status judged = Judge(second, first); !judged) {
      return std::unexpected(judged.error());
    }
    Weigh(first, second);
    outcome_.strata = items_.size();
    return std::move(outcome_);
  }

 private:
  [[nodiscard]] std::vector<std::size_t> Room(const std::vector<std::size_t>& taken) const {
    std::vector<std::size_t> room;
    for (std::size_t s = 0; s < items_.size(); ++s) {
      room.push_back(items_[s].size() - taken[s]);
    }
    return room;
  }

  // One for each stratum that still has room, then the rest by weight.
  [[nodiscard]] static std::vector<std::size_t> AtLeastOne(std::size_t count,
                                                           const std::vector<double>& weights,
                                                           std::vector<std::size_t> room) {
    std::vector<std::size_t> shares(room.size());
    for (std::size_t s = 0; s < room.size() && count > 0; ++s) {
      if (room[s] > 0) {
        ++shares[s];
        --room[s];
        --count;
      }
    }
    const std::vector<std::size_t> more = ShareOut(count, weights, room);
    for (std::size_t s = 0; s < shares.size(); ++s) {
      shares[s] += more[s];
    }
    return shares;
  }

  [[nodiscard]] std::vector<double> Sizes() const {
    std::vector<double> sizes;
    for (const std::vector<std::size_t>& items : items_) {
      sizes.push_back(static_cast<double>(items.size()));
    }
    return sizes;
  }

  [[nodiscard]] std::vector<std::size_t> FirstShares(std::size_t count) const {
    return AtLeastOne(std::min(count, sample_), Sizes(),
                      Room(std::vector<std::size_t>(items_.size())));
  }

  [[nodiscard]] std::vector<std::size_t> SecondShares(const std::vector<std::size_t>& first,
                                                      std::size_t count) const {
    std::vector<double> sizes = Sizes();
    std::vector<double> spread(items_.size());
    double size_sum = 0;
    double spread_sum = 0;
    double hits = 0;
    for (std::size_t s = 0; s < items_.size(); ++s) {
      const SampleCell& cell = outcome_.cells[s];
      const double share =
          (static_cast<double>(cell.hits) + 0.5) / (static_cast<double>(cell.sampled) + 1);
      spread[s] = sizes[s] * std::sqrt(share * (1 - share));
      size_sum += sizes[s];
      spread_sum += spread[s];
      hits += static_cast<double>(cell.hits);
    }
    const double trust = kNeymanShareMax * std::min(1.0, hits / kHitsForTrust);
    std::vector<double> weights;
    for (std::size_t s = 0; s < items_.size(); ++s) {
      weights.push_back((1 - trust) * sizes[s] / size_sum + trust * spread[s] / spread_sum);
    }
    return AtLeastOne(count, weights, Room(first));
  }

  // Judges the next `shares` of each stratum behind the `taken` ones; a cell for each stratum.
  Status Judge(const std::vector<std::size_t>& shares, const std::vector<std::size_t>& taken) {
    const std::size_t first_cell = outcome_.cells.size();
    std::vector<std::size_t> items;
    for (std::size_t s = 0; s < shares.size(); ++s) {
      outcome_.cells.push_back({.size = items_[s].size() - taken[s], .sampled = shares[s]});
      for (std::size_t i = 0; i < shares[s]; ++i) {
        items.push_back(items_[s][taken[s] + i]);
        outcome_.cell_of.push_back(static_cast<std::uint32_t>(first_cell + s));
      }
    }
    if (items.empty()) {
      return {};
    }
    const Result<std::vector<std::uint8_t>> hits = hit_(items);
    if (!hits) {
      return std::unexpected(hits.error());
    }
    CHECK(hits->size() == items.size());
    const std::size_t before = outcome_.judged.size();
    outcome_.judged.insert(outcome_.judged.end(), items.begin(), items.end());
    for (std::size_t i = 0; i < items.size(); ++i) {
      outcome_.cells[outcome_.cell_of[before + i]].hits += (*hits)[i] != 0 ? 1 : 0;
    }
    return {};
  }

  // The first round alone would estimate N * h1 / n1, the second h1 + (N - n1) * h2 / n2; both are
  // right on average, and so is their mean with fixed shares.
  void Weigh(const std::vector<std::size_t>& first, const std::vector<std::size_t>& second) {
    for (std::size_t s = 0; s < items_.size(); ++s) {
      SampleCell& one = outcome_.cells[s];
      SampleCell& two = outcome_.cells[items_.size() + s];
      const auto size = static_cast<double>(items_[s].size());
      const auto n1 = static_cast<double>(first[s]);
      const auto n2 = static_cast<double>(second[s]);
      if (first[s] + second[s] == items_[s].size()) {
        one.whole = two.whole = true;
        one.weight = two.weight = 1;
      } else if (first[s] == 0 || second[s] == 0) {
        one.weight = first[s] == 0 ? 0 : size / n1;
        two.weight = second[s] == 0 ? 0 : size / n2;
      } else {
        one.weight = kPilotShare * size / n1 + (1 - kPilotShare);
        two.weight = (1 - kPilotShare) * (size - n1) / n2;
      }
    }
  }

  const HitFunction& hit_;
  std::size_t sample_;
  bool whole_ = false;
  std::vector<std::vector<std::size_t>> items_;  // of each stratum, shuffled
  SampleOutcome outcome_;
};

}  // namespace

Result<SampleOutcome> SampleStrata(std::span<const std::uint32_t> stratum_of,
                                   const HitFunction& hit, const SampleOptions& options) {
  return Sampler(stratum_of, hit, options).Run();
}

}  // namespace safeguard::eval
