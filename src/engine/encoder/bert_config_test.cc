#include "engine/encoder/bert_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "engine/encoder/tiny_model.h"

namespace safeguard::engine {
namespace {

using testing::HasSubstr;

class BertConfig : public testing::Test {
 protected:
  // The tiny model's config with `from` replaced by `to`.
  Result<EncoderConfig> ReadWith(const std::string& from, const std::string& to) {
    std::string json =
        R"({"model_type":"bert","hidden_act":"gelu","layer_norm_eps":1e-12,"hidden_size":384,)"
        R"("num_attention_heads":12,"num_hidden_layers":6,"intermediate_size":1536,)"
        R"("vocab_size":30522,"max_position_embeddings":512})";
    if (!from.empty()) {
      const std::size_t at = json.find(from);
      EXPECT_NE(at, std::string::npos) << from;
      json.replace(at, from.size(), to);
    }
    WriteText(folder_.path() + "/config.json", json);
    return ReadBertConfig(folder_.path() + "/config.json");
  }

  TemporaryFolder folder_;
};

TEST_F(BertConfig, ReadsMiniLm) {
  const auto config = ReadWith("", "");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->layers, 6U);
  EXPECT_EQ(config->hidden, 384U);
  EXPECT_EQ(config->heads, 12U);
  EXPECT_EQ(config->intermediate, 1536U);
  EXPECT_EQ(config->vocabulary, 30522U);
  EXPECT_EQ(config->positions_max, 512U);
  EXPECT_EQ(config->layer_norm_epsilon, 1e-12F);
}

TEST_F(BertConfig, RefusesWhatItCannotCompute) {
  const auto message = [this](const char* from, const char* to) {
    const auto config = ReadWith(from, to);
    return config ? std::string() : config.error().message;
  };
  EXPECT_THAT(message(R"("hidden_act":"gelu")", R"("hidden_act":"relu")"), HasSubstr("hidden_act"));
  EXPECT_THAT(message(R"("model_type":"bert")", R"("model_type":"t5")"), HasSubstr("model_type"));
  EXPECT_THAT(message(R"("hidden_size":384)", R"("hidden_size":390)"),
              HasSubstr("multiples of 32"));
  EXPECT_THAT(message(R"(heads":12)", R"(heads":16)"), HasSubstr("multiples of 32"));
  EXPECT_THAT(message(R"(heads":12)", R"(heads":7)"), HasSubstr("multiples of 32"));
  EXPECT_THAT(message(R"(heads":12)", R"(heads":0)"), HasSubstr("num_attention_heads"));
  EXPECT_THAT(message("1536", "1537"), HasSubstr("multiples of 32"));
  EXPECT_THAT(message(R"(layers":6)", R"(layers":1000000000000)"), HasSubstr("num_hidden_layers"));
  EXPECT_THAT(message("30522", "-1"), HasSubstr("vocab_size"));
  EXPECT_THAT(message("1e-12", "\"x\""), HasSubstr("layer_norm_eps"));
  EXPECT_THAT(message(R"("hidden_size":384,)", ""), HasSubstr("'hidden_size' is missing"));
  EXPECT_THAT(message("}", ""), HasSubstr("not a JSON object"));
}

}  // namespace
}  // namespace safeguard::engine
