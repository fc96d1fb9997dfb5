// L2-regularised logistic regression around a score known beforehand, fitted by Newton's method
// with conjugate gradients (Nocedal and Wright, Numerical Optimization, 2nd ed., algorithm 7.1):
// some milliseconds for a hundred cases, linear in cases and features.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace safeguard::judges {

// p(y = 1 | x) = sigmoid(offset + slope * prior + bias + w . x)
struct LogisticModel {
  std::vector<float> weights;  // [features]
  double bias = 0;
  double slope = 1;
};

struct LogisticCase {
  std::span<const float> features;
  double prior = 0;  // logit of a score that is known beforehand
  bool positive = false;
  double weight = 1;  // > 0
};

struct LogisticOptions {
  double weight_penalty = 1;  // on |w|^2 / 2
  double slope_penalty = 1;   // on (slope - 1)^2 / 2
  double bias_penalty = 0.1;  // on bias^2 / 2
};

// Deterministic. REQUIRES: at least one case of each sign, all of `features` numbers.
LogisticModel FitLogistic(std::span<const LogisticCase> cases, std::size_t features,
                          const LogisticOptions& options);

double Logit(const LogisticModel& model, std::span<const float> features, double prior);

}  // namespace safeguard::judges
