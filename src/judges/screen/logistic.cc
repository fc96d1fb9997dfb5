#include "judges/screen/logistic.h"

#include <cmath>
#include <cstdlib>

#include "base/check.h"

namespace safeguard::judges {
namespace {

constexpr int kNewtonStepsMax = 30;
constexpr int kConjugateStepsMax = 60;
constexpr double kGradientTolerance = 1e-6;

double Sigmoid(double z) {
  return z >= 0 ? 1 / (1 + std::exp(-z)) : std::exp(z) / (1 + std::exp(z));
}

// log(1 + exp(z)) without overflow.
double SoftPlus(double z) {
  return z > 0 ? z + std::log1p(std::exp(-z)) : std::log1p(std::exp(z));
}

double Dot(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += a[i] * b[i];
  }
  return sum;
}

// The objective over parameters [w..., slope, bias].
class Problem {
 public:
  Problem(std::span<const LogisticCase> cases, std::size_t features, const LogisticOptions& options)
      : cases_(cases), features_(features), options_(options), curvature_(cases.size()) {}

  [[nodiscard]] std::size_t size() const { return features_ + 2; }

  [[nodiscard]] double Value(std::span<const double> at) const {
    double value = 0;
    for (const LogisticCase& c : cases_) {
      const double z = Predict(c, at);
      value += c.weight * SoftPlus(c.positive ? -z : z);
    }
    for (std::size_t i = 0; i < size(); ++i) {
      value += 0.5 * Penalty(i) * Deviation(i, at) * Deviation(i, at);
    }
    return value;
  }

  // Also remembers the curvature of each case for HessianTimes.
  void Gradient(std::span<const double> at, std::span<double> gradient) {
    for (std::size_t i = 0; i < size(); ++i) {
      gradient[i] = Penalty(i) * Deviation(i, at);
    }
    for (std::size_t c = 0; c < cases_.size(); ++c) {
      const double p = Sigmoid(Predict(cases_[c], at));
      curvature_[c] = cases_[c].weight * p * (1 - p);
      AddScaled(cases_[c], cases_[c].weight * (p - (cases_[c].positive ? 1 : 0)), gradient);
    }
  }

  void HessianTimes(std::span<const double> direction, std::span<double> product) const {
    for (std::size_t i = 0; i < size(); ++i) {
      product[i] = Penalty(i) * direction[i];
    }
    for (std::size_t c = 0; c < cases_.size(); ++c) {
      AddScaled(cases_[c], curvature_[c] * Predict(cases_[c], direction), product);
    }
  }

 private:
  [[nodiscard]] double Predict(const LogisticCase& c, std::span<const double> at) const {
    double z = at[features_] * c.prior + at[features_ + 1];
    for (std::size_t i = 0; i < features_; ++i) {
      z += at[i] * double{c.features[i]};
    }
    return z;
  }

  void AddScaled(const LogisticCase& c, double scale, std::span<double> sum) const {
    for (std::size_t i = 0; i < features_; ++i) {
      sum[i] += scale * double{c.features[i]};
    }
    sum[features_] += scale * c.prior;
    sum[features_ + 1] += scale;
  }

  [[nodiscard]] double Penalty(std::size_t i) const {
    if (i < features_) {
      return options_.weight_penalty;
    }
    return i == features_ ? options_.slope_penalty : options_.bias_penalty;
  }

  [[nodiscard]] double Deviation(std::size_t i, std::span<const double> at) const {
    return i == features_ ? at[i] - 1 : at[i];
  }

  std::span<const LogisticCase> cases_;
  std::size_t features_;
  LogisticOptions options_;
  std::vector<double> curvature_;
};

// Solves Hessian * step = -gradient approximately.
std::vector<double> NewtonStep(const Problem& problem, std::span<const double> gradient) {
  std::vector<double> step(problem.size(), 0.0);
  std::vector<double> residual(gradient.begin(), gradient.end());
  std::vector<double> direction(problem.size());
  std::vector<double> product(problem.size());
  for (std::size_t i = 0; i < direction.size(); ++i) {
    direction[i] = -residual[i];
  }
  double squared = Dot(residual, residual);
  const double enough = squared * 1e-8;
  for (int k = 0; k < kConjugateStepsMax && squared > enough; ++k) {
    problem.HessianTimes(direction, product);
    const double length = squared / Dot(direction, product);
    for (std::size_t i = 0; i < step.size(); ++i) {
      step[i] += length * direction[i];
      residual[i] += length * product[i];
    }
    const double next = Dot(residual, residual);
    for (std::size_t i = 0; i < direction.size(); ++i) {
      direction[i] = -residual[i] + next / squared * direction[i];
    }
    squared = next;
  }
  return step;
}

}  // namespace

LogisticModel FitLogistic(std::span<const LogisticCase> cases, std::size_t features,
                          const LogisticOptions& options) {
  bool positive = false;
  bool negative = false;
  for (const LogisticCase& c : cases) {
    CHECK(c.features.size() == features && c.weight > 0);
    positive = positive || c.positive;
    negative = negative || !c.positive;
  }
  CHECK(positive && negative);
  Problem problem(cases, features, options);
  std::vector<double> at(problem.size(), 0.0);
  at[features] = 1;
  std::vector<double> gradient(problem.size());
  std::vector<double> trial(problem.size());
  double value = problem.Value(at);
  for (int iteration = 0; iteration < kNewtonStepsMax; ++iteration) {
    problem.Gradient(at, gradient);
    if (Dot(gradient, gradient) < kGradientTolerance * kGradientTolerance) {
      break;
    }
    const std::vector<double> step = NewtonStep(problem, gradient);
    // Halving keeps the objective falling where the quadratic model reaches too far.
    double length = 1;
    bool better = false;
    for (int halving = 0; halving < 20 && !better; ++halving, length /= 2) {
      for (std::size_t i = 0; i < at.size(); ++i) {
        trial[i] = at[i] + length * step[i];
      }
      const double trial_value = problem.Value(trial);
      if (trial_value < value) {
        value = trial_value;
        better = true;
      }
    }
    if (!better) {
      break;
    }
    at = trial;
  }
  LogisticModel model;
  model.weights.assign(at.begin(), at.begin() + static_cast<std::ptrdiff_t>(features));
  model.slope = at[features];
  model.bias = at[features + 1];
  return model;
}

double Logit(const LogisticModel& model, std::span<const float> features, double prior) {
  double z = model.slope * prior + model.bias;
  for (std::size_t i = 0; i < model.weights.size(); ++i) {
    z += double{model.weights[i]} * double{features[i]};
  }
  return z;
}

}  // namespace safeguard::judges
