#include "judges/screen/fit_cases.h"

#include <array>

namespace safeguard::judges {
namespace {

// Rounds of choosing each case's best unit and fitting again.
constexpr int kRounds = 2;

std::size_t BestUnit(const UnitCase& unit_case, const LogisticModel& model) {
  std::size_t best = 0;
  double highest = -1e9;
  for (std::size_t u = 0; u < unit_case.units.size(); ++u) {
    const double logit = Logit(model, unit_case.units[u].features, unit_case.units[u].prior);
    if (logit > highest) {
      best = u;
      highest = logit;
    }
  }
  return best;
}

}  // namespace

std::optional<LogisticModel> FitCases(std::span<const UnitCase> cases, std::size_t features,
                                      const LogisticOptions& options) {
  std::array<double, 3> sizes{};
  for (const UnitCase& c : cases) {
    sizes[static_cast<std::size_t>(c.side)] += c.units.empty() ? 0 : 1;
  }
  const double violating = sizes[static_cast<std::size_t>(CaseSide::kViolating)];
  const double safe = sizes[static_cast<std::size_t>(CaseSide::kSafe)];
  if (violating == 0 || safe == 0) {
    return std::nullopt;
  }
  const double side_weight = (violating + safe) / 2;
  std::optional<LogisticModel> model;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<LogisticCase> fit;
    for (const UnitCase& c : cases) {
      if (c.units.empty()) {
        continue;
      }
      const CaseUnit& unit = c.units[model ? BestUnit(c, *model) : c.first_choice];
      fit.push_back({unit.features, unit.prior, c.side == CaseSide::kViolating,
                     side_weight / sizes[static_cast<std::size_t>(c.side)]});
    }
    model = FitLogistic(fit, features, options);
  }
  return model;
}

}  // namespace safeguard::judges
