// The contract of the Forward interface, kept with every kernel table and precision.
#include "engine/model/forward_contract.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <tuple>

#include "base/thread_pool.h"
#include "engine/cpu/cpu_forward.h"
#include "engine/cpu/kernels/kernel_table.h"
#include "engine/cpu/random_model.h"

namespace safeguard::engine {
namespace {

using cpu::KernelTable;

class ForwardContract
    : public testing::TestWithParam<std::tuple<const KernelTable*, CpuPrecision>> {
 protected:
  void SetUp() override {
    if (!cpu::WorthTesting(*std::get<0>(GetParam()))) {
      GTEST_SKIP() << std::get<0>(GetParam())->name << ": not on this CPU or too slow here";
    }
    forward_ = NewForward(std::get<0>(GetParam())->name, std::get<1>(GetParam()));
  }
  std::unique_ptr<Forward> NewForward(const char* kernels, CpuPrecision precision) {
    CpuForwardOptions options;
    options.kernels = kernels;
    options.precision = precision;
    auto forward = NewCpuForward(model_.config, model_.weights, options, pool_);
    EXPECT_TRUE(forward) << Describe(forward.error());
    return std::move(forward).value();
  }

  cpu::RandomModel model_ =
      cpu::NewRandomModel(cpu::SmallConfig(), WeightType::kBF16, NibbleOrder::kAdjacent, 9);
  ThreadPool pool_{2};
  std::unique_ptr<Forward> forward_;
};

TEST_P(ForwardContract, RestrictedRowsAreEntriesOfTheWhole) {
  test::CheckRestrictedRows(*forward_);
}

TEST_P(ForwardContract, WhatIsTruncatedLeavesNoTrace) {
  test::CheckTruncate(*forward_);
  EXPECT_EQ(forward_->CacheBytes(), 0U);
}

TEST_P(ForwardContract, BytesForIsAnUpperBound) {
  test::CheckBytes(*forward_);
}

TEST_P(ForwardContract, ExportedSequencesGoOn) {
  test::CheckExport(*forward_);
  EXPECT_EQ(forward_->CacheBytes(), 0U);
}

TEST_P(ForwardContract, DamagedExportsAreRefused) {
  test::CheckDamagedExports(*forward_);
}

TEST_P(ForwardContract, ExportsOfOtherKernelsAndPrecisionsAreRefused) {
  const SequenceId sequence = forward_->NewSequence();
  test::StepAll(*forward_, sequence, test::TokensFor(*forward_, 20, 1));
  const auto bytes = *forward_->Export(sequence);
  for (std::size_t i = 0; i < cpu::AllKernels().count; ++i) {
    const KernelTable& table = *cpu::AllKernels().tables[i];
    for (const CpuPrecision precision : {CpuPrecision::kF32, CpuPrecision::kInt16,
                                         CpuPrecision::kHalfCache, CpuPrecision::kBf16}) {
      if (table.supported()) {
        const auto imported = NewForward(table.name, precision)->Import(bytes);
        EXPECT_EQ(imported.has_value(), GetParam() == std::tuple(&table, precision)) << table.name;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, ForwardContract,
    testing::Combine(testing::ValuesIn(cpu::AllKernels().tables,
                                       cpu::AllKernels().tables + cpu::AllKernels().count),
                     testing::Values(CpuPrecision::kF32, CpuPrecision::kInt16, CpuPrecision::kInt8,
                                     CpuPrecision::kHalfCache, CpuPrecision::kBf16)),
    [](const auto& test) {
      return std::string(std::get<0>(test.param)->name) +
             ("_" + std::to_string(static_cast<int>(std::get<1>(test.param))));
    });

}  // namespace
}  // namespace safeguard::engine
