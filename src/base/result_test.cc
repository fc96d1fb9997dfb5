#include "base/result.h"

#include <gtest/gtest.h>

namespace safeguard {
namespace {

Result<int> Half(int x) {
  if (x % 2 != 0) {
    return Fail(ErrorCode::kInvalidInput, "3 is odd", "give an even number");
  }
  return x / 2;
}

TEST(Result, HoldsAValueOrAnError) {
  EXPECT_EQ(Half(4).value(), 2);
  EXPECT_EQ(Half(3).error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(Describe(Half(3).error()), "3 is odd (give an even number)");
}

}  // namespace
}  // namespace safeguard
