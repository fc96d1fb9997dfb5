#include "eval/agreement.h"

#include "base/check.h"

namespace safeguard::eval {
namespace {

double CostOf(std::size_t i, std::size_t j, KappaWeights weights) {
  const auto distance = static_cast<double>(i > j ? i - j : j - i);
  switch (weights) {
    case KappaWeights::kNone:
      return i == j ? 0 : 1;
    case KappaWeights::kLinear:
      return distance;
    case KappaWeights::kQuadratic:
      return distance * distance;
  }
  return 0;
}

}  // namespace

AgreementTable::AgreementTable(std::size_t categories)
    : categories_(categories), counts_(categories * categories) {
  CHECK(categories >= 2);
}

void AgreementTable::Add(std::size_t first, std::size_t second, std::size_t times) {
  CHECK(first < categories_ && second < categories_);
  counts_[first * categories_ + second] += times;
  total_ += times;
}

std::optional<double> Kappa(const AgreementTable& table, KappaWeights weights) {
  const std::size_t categories = table.categories();
  std::vector<double> rows(categories);
  std::vector<double> columns(categories);
  for (std::size_t i = 0; i < categories; ++i) {
    for (std::size_t j = 0; j < categories; ++j) {
      rows[i] += static_cast<double>(table.at(i, j));
      columns[j] += static_cast<double>(table.at(i, j));
    }
  }
  double observed = 0;
  double by_chance = 0;  // times the number of cases
  for (std::size_t i = 0; i < categories; ++i) {
    for (std::size_t j = 0; j < categories; ++j) {
      const double cost = CostOf(i, j, weights);
      observed += cost * static_cast<double>(table.at(i, j));
      by_chance += cost * rows[i] * columns[j];
    }
  }
  if (by_chance <= 0) {
    return std::nullopt;
  }
  return 1 - observed * static_cast<double>(table.total()) / by_chance;
}

std::optional<double> ObservedAgreement(const AgreementTable& table) {
  if (table.total() == 0) {
    return std::nullopt;
  }
  std::size_t same = 0;
  for (std::size_t i = 0; i < table.categories(); ++i) {
    same += table.at(i, i);
  }
  return static_cast<double>(same) / static_cast<double>(table.total());
}

}  // namespace safeguard::eval
