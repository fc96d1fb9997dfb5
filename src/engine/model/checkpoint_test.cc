// The checkpoints under goldens/: they open, and with the shapes that their configs say.
#include "engine/model/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "engine/model/dequantize.h"

namespace safeguard::engine {
namespace {

using testing::HasSubstr;

std::string GoldenFolder(const std::string& name) {
  const char* shared = std::getenv("SAFEGUARD_SHARED");
  return std::string(shared != nullptr ? shared : SAFEGUARD_SOURCE_DIR "/../shared") +
         "/goldens/checkpoints/" + name;
}

struct GoldenShape {
  const char* name;
  std::size_t layers, hidden, intermediate, heads, kv_heads, experts, window, vocabulary, files;
};

constexpr GoldenShape kGoldens[] = {
    {"small-window", 4, 128, 96, 8, 2, 8, 16, 512, 1},
    {"wide", 3, 288, 320, 10, 2, 32, 128, 1000, 3},
    {"long-yarn", 2, 64, 64, 4, 1, 4, 128, 256, 1},
    {"many-experts", 2, 192, 160, 8, 8, 128, 128, 777, 1},
};

void ExpectMatrix(const MatrixView& matrix, WeightType type, std::size_t rows,
                  std::size_t columns) {
  EXPECT_EQ(matrix.type, type);
  EXPECT_EQ(matrix.rows, rows);
  EXPECT_EQ(matrix.columns, columns);
  std::vector<float> last(columns);
  DequantizeRow(matrix, rows - 1, 0, last);
  for (const float value : last) {
    ASSERT_TRUE(value > -1000 && value < 1000) << value;
  }
}

void ExpectLayer(const LayerWeights& layer, const GptOssConfig& config) {
  const std::size_t query = config.heads * config.head_dim;
  const std::size_t key = config.kv_heads * config.head_dim;
  ExpectMatrix(layer.query, WeightType::kBF16, query, config.hidden);
  ExpectMatrix(layer.key, WeightType::kBF16, key, config.hidden);
  ExpectMatrix(layer.value, WeightType::kBF16, key, config.hidden);
  ExpectMatrix(layer.output, WeightType::kBF16, config.hidden, query);
  ExpectMatrix(layer.router, WeightType::kBF16, config.experts, config.hidden);
  EXPECT_EQ(layer.attention_norm.size, config.hidden);
  EXPECT_EQ(layer.expert_norm.size, config.hidden);
  EXPECT_EQ(layer.query_bias.size, query);
  EXPECT_EQ(layer.value_bias.size, key);
  EXPECT_EQ(layer.sinks.size, config.heads);
  EXPECT_EQ(layer.router_bias.size, config.experts);
  ASSERT_EQ(layer.experts.size(), config.experts);
  for (const ExpertWeights& expert : layer.experts) {
    ExpectMatrix(expert.gate, WeightType::kMxfp4, config.intermediate, config.hidden);
    ExpectMatrix(expert.up, WeightType::kMxfp4, config.intermediate, config.hidden);
    ExpectMatrix(expert.down, WeightType::kMxfp4, config.hidden, config.intermediate);
    EXPECT_EQ(expert.gate_bias.size, config.intermediate);
    EXPECT_EQ(expert.up_bias.size, config.intermediate);
    EXPECT_EQ(expert.down_bias.size, config.hidden);
    EXPECT_EQ(expert.gate_bias.stride, 4U);
  }
}

TEST(Checkpoint, GoldensOpenWithTheirShapes) {
  if (!std::filesystem::exists(GoldenFolder("wide"))) {
    GTEST_SKIP() << "NOT TESTED: no goldens/checkpoints under $SAFEGUARD_SHARED or ../shared";
  }
  for (const GoldenShape& golden : kGoldens) {
    SCOPED_TRACE(golden.name);
    const auto opened = Checkpoint::Open(GoldenFolder(golden.name));
    ASSERT_TRUE(opened) << Describe(opened.error());
    const Checkpoint& checkpoint = **opened;
    const GptOssConfig& config = checkpoint.config();
    EXPECT_EQ(checkpoint.format(), CheckpointFormat::kHuggingFace);
    EXPECT_EQ(config.layers, golden.layers);
    EXPECT_EQ(config.hidden, golden.hidden);
    EXPECT_EQ(config.intermediate, golden.intermediate);
    EXPECT_EQ(config.heads, golden.heads);
    EXPECT_EQ(config.kv_heads, golden.kv_heads);
    EXPECT_EQ(config.experts, golden.experts);
    EXPECT_EQ(config.sliding_window, golden.window);
    EXPECT_EQ(config.vocabulary, golden.vocabulary);
    EXPECT_EQ(config.rope.factor, 32);
    EXPECT_FALSE(config.rope.truncate);
    EXPECT_EQ(checkpoint.files().size(), golden.files);
    const GptOssWeights& weights = checkpoint.weights();
    ExpectMatrix(weights.embedding, WeightType::kBF16, config.vocabulary, config.hidden);
    ExpectMatrix(weights.unembedding, WeightType::kBF16, config.vocabulary, config.hidden);
    ASSERT_EQ(weights.layers.size(), config.layers);
    for (std::size_t i = 0; i < config.layers; ++i) {
      EXPECT_EQ(config.sliding[i], i % 2 == 0);
      ExpectLayer(weights.layers[i], config);
    }
    for (const CheckpointTensor& tensor : checkpoint.tensors()) {
      EXPECT_TRUE(tensor.used) << tensor.name;
    }
  }
}

TEST(Checkpoint, MissingPathsAndEmptyFoldersSayWhatToDo) {
  const auto missing = Checkpoint::Open("/nonexistent/model");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  const auto no_model = Checkpoint::Open(SAFEGUARD_SOURCE_DIR "/src");
  ASSERT_FALSE(no_model);
  EXPECT_EQ(no_model.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(no_model.error().message, HasSubstr("no config.json and no .gguf file"));
}

}  // namespace
}  // namespace safeguard::engine
