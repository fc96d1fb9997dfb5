// Fits a logistic layer on labelled texts of several units (windows, sentences), of which the one
// that scores highest stands for its text (multiple-instance learning: Andrews et al. 2003,
// MI-SVM).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "judges/screen/logistic.h"

namespace safeguard::judges {

// kBackground: an everyday text, safe, and not labelled by the policy's author.
enum class CaseSide : std::uint8_t { kViolating, kSafe, kBackground };

struct CaseUnit {
  std::span<const float> features;
  double prior = 0;
};

struct UnitCase {
  std::vector<CaseUnit> units;   // none: left out
  std::size_t first_choice = 0;  // the unit that stands for the text before anything is fitted
  CaseSide side = CaseSide::kSafe;
};

// The author's two sides weigh the same in sum, whatever their numbers; the background as much as
// one of them. Nothing without cases of both the author's sides. Deterministic.
std::optional<LogisticModel> FitCases(std::span<const UnitCase> cases, std::size_t features,
                                      const LogisticOptions& options);

}  // namespace safeguard::judges
