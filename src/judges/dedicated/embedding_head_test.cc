#include "judges/dedicated/embedding_head.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace safeguard::judges {
namespace {

constexpr std::size_t kWidth = 16;

// Unit vectors of which the first number says the side, with noise.
std::vector<std::vector<float>> Points(std::size_t count) {
  std::mt19937_64 random(7);
  std::vector<std::vector<float>> points;
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<float> point(kWidth);
    double squares = 0;
    for (std::size_t k = 0; k < kWidth; ++k) {
      point[k] = static_cast<float>(random() % 1000) / 1000.0F - 0.5F;
      point[k] += k == 0 ? (i % 2 == 0 ? 1.0F : -1.0F) : 0.0F;
      squares += double{point[k]} * double{point[k]};
    }
    for (float& x : point) {
      x /= static_cast<float>(std::sqrt(squares));
    }
    points.push_back(point);
  }
  return points;
}

TEST(EmbeddingHead, LearnsWhichSideIsWhich) {
  const auto points = Points(200);
  std::vector<HeadExample> examples;
  for (std::size_t i = 0; i < 150; ++i) {
    examples.push_back({points[i], i % 2 == 0});
  }
  const EmbeddingHead head = TrainHead(examples);
  for (std::size_t i = 150; i < 200; ++i) {
    EXPECT_EQ(head.LogOdds(points[i]) > 0, i % 2 == 0) << i;
  }
  EXPECT_EQ(WriteHead(TrainHead(examples)), WriteHead(head)) << "the same examples, another head";
}

TEST(EmbeddingHead, LearnsFromOneExampleASide) {
  const auto points = Points(2);
  const EmbeddingHead head =
      TrainHead(std::vector<HeadExample>{{points[0], true}, {points[1], false}});
  EXPECT_GT(head.LogOdds(points[0]), head.LogOdds(points[1]));
}

TEST(EmbeddingHead, FilesAreReadBackOrRefused) {
  const EmbeddingHead head{{1.5F, -2, 0.25F}, -0.5};
  const std::string bytes = WriteHead(head);
  const Result<EmbeddingHead> read = ReadHead(bytes, 3);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->weights, head.weights);
  EXPECT_EQ(read->bias, head.bias);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(ReadHead(std::string_view(bytes).substr(0, length), 3)) << length;
  }
  EXPECT_FALSE(ReadHead(bytes, 4));
  EXPECT_FALSE(ReadHead(bytes, 0));
  const Result<EmbeddingHead> bad =
      ReadHead(WriteHead({{std::numeric_limits<float>::quiet_NaN()}, 0}), 1);
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error().message, testing::HasSubstr("no number"));
}

}  // namespace
}  // namespace safeguard::judges
