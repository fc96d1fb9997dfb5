#include <cmath>

#include "eval/metrics.h"

namespace safeguard::eval {
namespace {

std::optional<double> Share(double part, double whole) {
  return whole > 0 ? std::optional(part / whole) : std::nullopt;
}

double Count(std::size_t n) {
  return static_cast<double>(n);
}

}  // namespace

void Confusion::Add(bool expected, bool judged, std::size_t times) {
  std::size_t& cell = expected ? (judged ? true_positive : false_negative)
                               : (judged ? false_positive : true_negative);
  cell += times;
}

std::optional<double> Precision(const Confusion& c) {
  return Share(Count(c.true_positive), Count(c.true_positive + c.false_positive));
}

std::optional<double> Recall(const Confusion& c) {
  return Share(Count(c.true_positive), Count(c.positives()));
}

std::optional<double> FalseAlarmRate(const Confusion& c) {
  return Share(Count(c.false_positive), Count(c.negatives()));
}

std::optional<double> F1(const Confusion& c) {
  if (c.positives() == 0) {
    return std::nullopt;
  }
  return 2 * Count(c.true_positive) /
         (2 * Count(c.true_positive) + Count(c.false_positive) + Count(c.false_negative));
}

std::optional<double> Accuracy(const Confusion& c) {
  return Share(Count(c.true_positive + c.true_negative), Count(c.total()));
}

std::optional<double> BalancedAccuracy(const Confusion& c) {
  if (c.positives() == 0 || c.negatives() == 0) {
    return std::nullopt;
  }
  return (*Recall(c) + 1 - *FalseAlarmRate(c)) / 2;
}

std::optional<double> Matthews(const Confusion& c) {
  const double judged_positive = Count(c.true_positive + c.false_positive);
  const double judged_negative = Count(c.false_negative + c.true_negative);
  const double product =
      judged_positive * judged_negative * Count(c.positives()) * Count(c.negatives());
  if (product <= 0) {
    return std::nullopt;
  }
  return (Count(c.true_positive) * Count(c.true_negative) -
          Count(c.false_positive) * Count(c.false_negative)) /
         std::sqrt(product);
}

std::optional<double> Kappa(const Confusion& c) {
  const double n = Count(c.total());
  if (n <= 0) {
    return std::nullopt;
  }
  const double observed = Count(c.true_positive + c.true_negative) / n;
  const double chance = (Count(c.positives()) * Count(c.true_positive + c.false_positive) +
                         Count(c.negatives()) * Count(c.true_negative + c.false_negative)) /
                        (n * n);
  if (chance >= 1) {
    return std::nullopt;
  }
  return (observed - chance) / (1 - chance);
}

}  // namespace safeguard::eval
