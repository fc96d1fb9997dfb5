#include "engine/model/tensor_finder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace safeguard::engine {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::array<std::byte, 64> kBytes{};

StoredTensor Tensor(const std::string& name, StoredType type, const std::string& type_name,
                    std::vector<std::uint64_t> shape) {
  return {name, type, type_name, std::move(shape), kBytes, 0};
}

TEST(TensorFinder, OneErrorNamesAllThatIsWrong) {
  const std::vector<StoredTensor> tensors = {
      Tensor("good", StoredType::kBF16, "BF16", {2, 4}),
      Tensor("typed", StoredType::kOther, "Q4_K", {2, 4}),
      Tensor("shaped", StoredType::kF32, "F32", {4, 2}),
      Tensor("both", StoredType::kU8, "U8", {1}),
      Tensor("twice", StoredType::kF32, "F32", {1}),
      Tensor("twice", StoredType::kF32, "F32", {1}),
  };
  TensorFinder finder(tensors);
  EXPECT_EQ(finder.Matrix("good", 2, 4).row_stride, 8U);
  EXPECT_EQ(finder.Matrix("typed", 2, 4).rows, 0U);
  EXPECT_EQ(finder.Matrix("shaped", 2, 4).rows, 0U);
  EXPECT_EQ(finder.Vector("both", 3).size, 0U);
  EXPECT_EQ(finder.Vector("absent", 3).size, 0U);
  const Status status = finder.Finish("model");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kCorruptFile);
  EXPECT_EQ(status.error().message,
            "model: tensor 'twice' appears twice; tensor 'typed' is Q4_K, wanted BF16, F32, F16, "
            "Q8_0; tensor 'shaped' has shape [4, 2], wanted [2, 4]; tensor 'both' is U8, wanted "
            "F32, F16, BF16, and has shape [1], wanted [3]; tensor 'absent' is missing");
  EXPECT_EQ(finder.Unused(), (std::vector<std::size_t>{4, 5}));
}

TEST(TensorFinder, LongListsAreCut) {
  TensorFinder finder({});
  for (int i = 0; i < 25; ++i) {
    finder.Vector("t" + std::to_string(i), 1);
  }
  const Status status = finder.Finish("model");
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("'t19' is missing; and 5 more"));
  EXPECT_THAT(status.error().message, Not(HasSubstr("'t20'")));
}

TEST(TensorFinder, PartsOfViewsStayInside) {
  const std::vector<StoredTensor> tensors = {Tensor("m", StoredType::kBF16, "BF16", {6, 4}),
                                             Tensor("v", StoredType::kF32, "F32", {6})};
  TensorFinder finder(tensors);
  const MatrixView matrix = finder.Matrix("m", 6, 4);
  EXPECT_EQ(RowsOf(matrix, 2, 3).data, kBytes.data() + 16);
  const MatrixView odd = EverySecondRow(matrix, 1);
  EXPECT_EQ(odd.rows, 3U);
  EXPECT_EQ(odd.data, kBytes.data() + 8);
  EXPECT_EQ(odd.row_stride, 16U);
  const VectorView vector = EverySecond(PartOf(finder.Vector("v", 6), 2, 4), 1);
  EXPECT_EQ(vector.size, 2U);
  EXPECT_EQ(vector.data, kBytes.data() + 12);
  EXPECT_EQ(vector.stride, 8U);
  EXPECT_EQ(EverySecondRow(MatrixView(), 1).rows, 0U);
  EXPECT_EQ(EverySecond(VectorView(), 1).size, 0U);
  EXPECT_TRUE(finder.Finish(""));
}

}  // namespace
}  // namespace safeguard::engine
