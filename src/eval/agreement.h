// Agreement of two raters beyond chance: two judges, or a judge and people.
//
// Pure and thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace safeguard::eval {

// How often one rater chose category i where the other chose j.
class AgreementTable {
 public:
  // REQUIRES: categories >= 2.
  explicit AgreementTable(std::size_t categories);

  // REQUIRES: first, second < categories().
  void Add(std::size_t first, std::size_t second, std::size_t times = 1);

  [[nodiscard]] std::size_t categories() const { return categories_; }
  [[nodiscard]] std::size_t at(std::size_t first, std::size_t second) const {
    return counts_[first * categories_ + second];
  }
  [[nodiscard]] std::size_t total() const { return total_; }

 private:
  std::size_t categories_;
  std::vector<std::size_t> counts_;
  std::size_t total_ = 0;
};

// What a disagreement between categories i and j costs: all the same; |i - j|; its square. The last
// two are for ordered categories such as severity levels.
enum class KappaWeights { kNone, kLinear, kQuadratic };

// Cohen's kappa (1960), weighted after Cohen (1968): 1 minus the observed cost over that of chance.
// Not defined without cases, nor when both raters chose one and the same category throughout.
std::optional<double> Kappa(const AgreementTable& table, KappaWeights weights);

// The share of cases where both chose the same. Not defined without cases.
std::optional<double> ObservedAgreement(const AgreementTable& table);

}  // namespace safeguard::eval
