#include "judges/screen/logistic.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace safeguard::judges {
namespace {

// The objective that FitLogistic promises to minimise, written plainly.
double Objective(const std::vector<LogisticCase>& cases, const LogisticModel& model,
                 const LogisticOptions& options) {
  double value = 0;
  for (const LogisticCase& c : cases) {
    const double z = Logit(model, c.features, c.prior);
    value += c.weight * std::log1p(std::exp(c.positive ? -z : z));
  }
  for (const float w : model.weights) {
    value += 0.5 * options.weight_penalty * double{w} * double{w};
  }
  return value + 0.5 * options.slope_penalty * (model.slope - 1) * (model.slope - 1) +
         0.5 * options.bias_penalty * model.bias * model.bias;
}

struct Sample {
  std::vector<std::vector<float>> features;
  std::vector<LogisticCase> cases;
};

Sample RandomSample(std::size_t count, std::size_t width, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Sample sample;
  sample.features.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t k = 0; k < width; ++k) {
      sample.features[i].push_back(normal(random));
    }
    const bool positive = sample.features[i][0] + normal(random) > 0.3F || i == 0;
    sample.cases.push_back({sample.features[i], double{normal(random)}, positive && i != 1, 1.0});
  }
  return sample;
}

TEST(Logistic, NoNearbyModelIsBetter) {
  const Sample sample = RandomSample(40, 8, 3);
  const LogisticOptions options;
  const LogisticModel best = FitLogistic(sample.cases, 8, options);
  const double value = Objective(sample.cases, best, options);
  for (int k = 0; k < 10; ++k) {
    for (const double delta : {-1e-2, 1e-2}) {
      LogisticModel other = best;
      if (k < 8) {
        other.weights[static_cast<std::size_t>(k)] += static_cast<float>(delta);
      } else {
        (k == 8 ? other.slope : other.bias) += delta;
      }
      EXPECT_GT(Objective(sample.cases, other, options), value) << k;
    }
  }
}

TEST(Logistic, ASeparatingFeatureIsFound) {
  const Sample sample = RandomSample(400, 5, 5);
  const LogisticModel model = FitLogistic(sample.cases, 5, {});
  EXPECT_GT(model.weights[0], 1.0F);
  for (std::size_t i = 1; i < 5; ++i) {
    EXPECT_LT(std::fabs(model.weights[i]), 0.5F);
  }
}

TEST(Logistic, WithoutEvidenceThePriorStands) {
  const std::vector<float> nothing(4, 0.0F);
  const std::vector<LogisticCase> cases = {{nothing, 3.0, true, 1.0}, {nothing, -3.0, false, 1.0}};
  const LogisticModel model = FitLogistic(cases, 4, {});
  EXPECT_NEAR(model.slope, 1.0, 0.3);
  EXPECT_NEAR(model.bias, 0.0, 1e-6);
  EXPECT_EQ(model.weights[0], 0.0F);
}

TEST(Logistic, IsDeterministic) {
  const Sample sample = RandomSample(60, 384, 9);
  const LogisticModel a = FitLogistic(sample.cases, 384, {});
  const LogisticModel b = FitLogistic(sample.cases, 384, {});
  EXPECT_EQ(a.weights, b.weights);
  EXPECT_EQ(a.bias, b.bias);
}

}  // namespace
}  // namespace safeguard::judges
