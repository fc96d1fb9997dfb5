// The fake keeps to the contract of the real ones.
#include "engine/runtime/fake_forward.h"

#include <gtest/gtest.h>

#include "engine/model/forward_contract.h"

namespace safeguard::engine::test {
namespace {

class FakeForwardContract : public testing::Test {
 protected:
  FakeForward forward_{101};
};

TEST_F(FakeForwardContract, RestrictedRowsAreEntriesOfTheWhole) {
  CheckRestrictedRows(forward_);
}

TEST_F(FakeForwardContract, WhatIsTruncatedLeavesNoTrace) {
  CheckTruncate(forward_);
}

TEST_F(FakeForwardContract, ExportedSequencesGoOn) {
  CheckExport(forward_);
  EXPECT_EQ(forward_.alive(), 0U);
}

TEST_F(FakeForwardContract, DamagedExportsAreRefused) {
  CheckDamagedExports(forward_);
}

TEST_F(FakeForwardContract, FurtherBackIsRefused) {
  const SequenceId sequence = forward_.NewSequence();
  StepAll(forward_, sequence, TokensFor(forward_, 200, 1));
  EXPECT_TRUE(forward_.Truncate(sequence, 200 - kRewindMax));
  EXPECT_FALSE(forward_.Truncate(sequence, 200 - kRewindMax - 1));
  EXPECT_EQ(forward_.Length(sequence), 200 - kRewindMax);
}

}  // namespace
}  // namespace safeguard::engine::test
