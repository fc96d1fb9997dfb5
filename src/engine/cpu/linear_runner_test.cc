#include "engine/cpu/linear_runner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "engine/cpu/random_model.h"

namespace safeguard::engine::cpu {
namespace {

TEST(LinearRunner, ChosenRowsHaveTheBitsTheyHaveAmongAllRows) {
  constexpr std::size_t kOutputs = 333;
  constexpr std::size_t kColumns = 96;
  RandomWeights random(3);
  ThreadPool pool(2);
  LinearRunner runner(BestKernels(), pool, nullptr, ActivationBits::k16);
  const std::vector<std::uint32_t> only = {0, 1, 31, 32, 33, 200, 331, 332};
  for (const WeightType type : {WeightType::kBF16, WeightType::kQ8_0, WeightType::kMxfp4}) {
    const MatrixView weights = random.Matrix(type, NibbleOrder::kHalves, kOutputs, kColumns);
    const VectorView bias = random.Vector(kOutputs, 0, 1);
    for (const std::size_t rows : {1U, 7U}) {
      std::vector<float> x(rows * kColumns);
      for (std::size_t i = 0; i < x.size(); ++i) {
        x[i] = static_cast<float>(i * 37 % 101) / 50.0F - 1.0F;
      }
      std::vector<const float*> inputs;
      for (std::size_t r = 0; r < rows; ++r) {
        inputs.push_back(x.data() + r * kColumns);
      }
      std::vector<float> all(rows * kOutputs);
      std::vector<float> some(rows * only.size());
      const LinearJob whole = {&weights, &bias, inputs, all.data(), kOutputs};
      const LinearJob chosen = {&weights, &bias, inputs, some.data(), only.size(), only};
      runner.Run({&whole, 1});
      runner.Run({&chosen, 1});
      for (std::size_t r = 0; r < rows; ++r) {
        for (std::size_t i = 0; i < only.size(); ++i) {
          ASSERT_EQ(some[r * only.size() + i], all[r * kOutputs + only[i]]) << r << ", " << only[i];
        }
      }
    }
  }
}

// Jobs of many sizes at once, on one thread and on more than there are pieces for: large pieces,
// small ones and halves.
TEST(LinearRunner, EveryOutputIsComputedHoweverJobsAreCut) {
  constexpr std::size_t kColumns = 32;
  struct Size {
    std::size_t outputs;
    std::size_t rows;
  };
  constexpr Size kSizes[] = {{1, 3}, {16, 1}, {97, 700}, {2880, 1}, {95, 20}, {5760, 2}, {33, 0}};
  RandomWeights random(5);
  std::vector<float> x(700 * kColumns);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<float>(i * 31 % 103) / 50.0F - 1.0F;
  }
  std::vector<const float*> inputs;
  for (std::size_t r = 0; r < 700; ++r) {
    inputs.push_back(x.data() + r * kColumns);
  }
  std::vector<MatrixView> weights;
  for (const Size& size : kSizes) {
    weights.push_back(
        random.Matrix(WeightType::kBF16, NibbleOrder::kHalves, size.outputs, kColumns));
  }
  std::vector<std::vector<float>> first;
  for (const std::size_t threads : {1U, 2U, 16U}) {
    ThreadPool pool(threads);
    LinearRunner runner(BestKernels(), pool, nullptr, ActivationBits::k16);
    std::vector<std::vector<float>> out;
    std::vector<LinearJob> jobs;
    for (std::size_t j = 0; j < weights.size(); ++j) {
      out.emplace_back(kSizes[j].outputs * kSizes[j].rows, -1e30F);
      jobs.push_back({&weights[j], nullptr, std::span(inputs).first(kSizes[j].rows), out[j].data(),
                      kSizes[j].outputs});
    }
    runner.Run(jobs);
    for (const std::vector<float>& numbers : out) {
      EXPECT_EQ(std::ranges::count(numbers, -1e30F), 0) << threads << " threads";
    }
    first = first.empty() ? out : first;
    EXPECT_EQ(out, first) << threads << " threads";
  }
}

// The same rows meet weights of two types at once: tables may want other integers for each.
TEST(LinearRunner, MatricesOfTwoTypesShareRows) {
  constexpr std::size_t kColumns = 96;
  constexpr std::size_t kRows = 5;
  RandomWeights random(4);
  ThreadPool pool(2);
  GptOssWeights model;
  model.layers.resize(1);
  MatrixView& query = model.layers[0].query;
  MatrixView& key = model.layers[0].key;
  query = random.Matrix(WeightType::kQ8_0, NibbleOrder::kHalves, 50, kColumns);
  key = random.Matrix(WeightType::kMxfp4, NibbleOrder::kHalves, 20, kColumns);
  const auto packed = PackedWeights::Pack(model, DenseWeights::kAsStored, pool);
  ASSERT_TRUE(packed.has_value());
  std::vector<float> x(kRows * kColumns);
  std::vector<const float*> rows;
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<float>(i * 37 % 101) / 50.0F - 1.0F;
    if (i % kColumns == 0) {
      rows.push_back(&x[i]);
    }
  }
  for (const ActivationBits bits : {ActivationBits::k16, ActivationBits::k8}) {
    const auto run = [&](const KernelTable& table) {
      std::vector<float> out(kRows * 70);
      LinearRunner runner(table, pool, packed->get(), bits);
      const LinearJob jobs[] = {{&query, nullptr, rows, out.data(), 50},
                                {&key, nullptr, rows, out.data() + kRows * 50, 20}};
      runner.Run(jobs);
      return out;
    };
    const std::vector<float> expected = run(kReferenceKernels);
    const KernelTables tables = AllKernels();
    for (std::size_t t = 0; t < tables.count; ++t) {
      if (tables.tables[t]->supported()) {
        EXPECT_EQ(run(*tables.tables[t]), expected) << tables.tables[t]->name;
      }
    }
  }
}

}  // namespace
}  // namespace safeguard::engine::cpu
