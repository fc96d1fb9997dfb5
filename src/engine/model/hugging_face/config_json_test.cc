#include "engine/model/hugging_face/config_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace safeguard::engine {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;

// Only what a config must say.
Json Least() {
  return {{"model_type", "gpt_oss"}, {"num_hidden_layers", 3},   {"hidden_size", 64},
          {"intermediate_size", 96}, {"num_attention_heads", 8}, {"num_key_value_heads", 2},
          {"num_local_experts", 6},  {"vocab_size", 300}};
}

Result<FolderConfig> Read(const Json& json) {
  const auto file = ConfigFile::Read("config.json", json.dump());
  EXPECT_TRUE(file);
  return ReadHuggingFaceConfig(*file);
}

std::string ErrorOf(const Json& json) {
  const auto config = Read(json);
  return config ? "" : config.error().message;
}

TEST(ConfigJson, AbsentKeysHaveTheDefaultsOfGptOss) {
  const auto config = Read(Least());
  ASSERT_TRUE(config) << Describe(config.error());
  const GptOssConfig& model = config->model;
  EXPECT_EQ(model.layers, 3U);
  EXPECT_EQ(model.experts, 6U);
  EXPECT_EQ(model.experts_per_token, 4U);
  EXPECT_EQ(model.head_dim, 64U);
  EXPECT_EQ(model.sliding_window, 128U);
  EXPECT_EQ(model.context_max, 131'072U);
  EXPECT_EQ(model.rms_epsilon, 1e-5F);
  EXPECT_EQ(model.swiglu_limit, 7);
  EXPECT_EQ(model.rope.theta, 150'000);
  EXPECT_EQ(model.rope.factor, 32);
  EXPECT_EQ(model.rope.original_context, 4096);
  EXPECT_FALSE(model.rope.truncate);
  EXPECT_EQ(model.sliding, (std::vector<bool>{true, false, true}));
  EXPECT_EQ(config->experts, ExpertStorage::kPlain);
  EXPECT_FALSE(config->tied);
}

TEST(ConfigJson, OtherNamesOfTheSameThing) {
  Json json = Least();
  json["num_experts_per_tok"] = 2;
  json["rope_parameters"] = {{"rope_type", "yarn"},
                             {"rope_theta", 1000.0},
                             {"factor", 8.0},
                             {"beta_fast", 16.0},
                             {"beta_slow", 2.0},
                             {"truncate", true},
                             {"original_max_position_embeddings", 2048}};
  json["layer_types"] = {"full_attention", "sliding_attention", "full_attention"};
  json["quantization_config"] = {{"quant_method", "mxfp4"}};
  json["tie_word_embeddings"] = true;
  json["sliding_window"] = nullptr;
  const auto config = Read(json);
  ASSERT_TRUE(config) << Describe(config.error());
  EXPECT_EQ(config->model.experts_per_token, 2U);
  EXPECT_EQ(config->model.rope.theta, 1000);
  EXPECT_EQ(config->model.rope.factor, 8);
  EXPECT_EQ(config->model.rope.beta_fast, 16);
  EXPECT_EQ(config->model.rope.original_context, 2048);
  EXPECT_TRUE(config->model.rope.truncate);
  EXPECT_EQ(config->model.sliding, (std::vector<bool>{false, true, false}));
  EXPECT_EQ(config->experts, ExpertStorage::kMxfp4);
  EXPECT_TRUE(config->tied);
  json.erase("rope_parameters");
  json["rope_scaling"] = nullptr;
  EXPECT_EQ(Read(json)->model.rope.factor, 1);
}

TEST(ConfigJson, WhatTheForwardPassHasNotIsRefused) {
  const auto with = [](const std::string& key, const Json& value) {
    Json json = Least();
    json[key] = value;
    return ErrorOf(json);
  };
  EXPECT_THAT(with("model_type", "llama"), HasSubstr("this is a llama model"));
  EXPECT_THAT(with("attention_bias", false), HasSubstr("without biases"));
  EXPECT_THAT(with("hidden_act", "gelu"), HasSubstr("'gelu'"));
  EXPECT_THAT(with("layer_types", {"chunked_attention"}), HasSubstr("'chunked_attention'"));
  EXPECT_THAT(with("layer_types", {"full_attention"}), HasSubstr("the types of 1"));
  EXPECT_THAT(with("rope_scaling", {{"rope_type", "linear"}}), HasSubstr("'linear'"));
  EXPECT_THAT(with("rope_scaling", {{"attention_factor", 2.0}}), HasSubstr("attention_factor"));
  EXPECT_THAT(with("quantization_config", {{"quant_method", "awq"}}), HasSubstr("'awq'"));
  EXPECT_THAT(with("architectures", Json::array({"X"})), "");  // model_type decides
  Json nameless = Least();
  nameless.erase("model_type");
  EXPECT_THAT(ErrorOf(nameless), HasSubstr("not the config of a gpt-oss model"));
  nameless["architectures"] = {"GptOssForCausalLM"};
  EXPECT_EQ(ErrorOf(nameless), "");
}

TEST(ConfigJson, NumbersOutOfRangeAreNamed) {
  const auto with = [](const std::string& key, const Json& value) {
    Json json = Least();
    json[key] = value;
    return ErrorOf(json);
  };
  EXPECT_THAT(with("hidden_size", 0), HasSubstr("'hidden_size'"));
  EXPECT_THAT(with("hidden_size", -64), HasSubstr("'hidden_size'"));
  EXPECT_THAT(with("hidden_size", "64"), HasSubstr("'hidden_size'"));
  EXPECT_THAT(with("hidden_size", 65), HasSubstr("multiples of 32"));
  EXPECT_THAT(with("num_hidden_layers", 4'000'000'000U), HasSubstr("'num_hidden_layers'"));
  EXPECT_THAT(with("num_hidden_layers", 1'000'000), HasSubstr("layers must be from 1 to 1024"));
  EXPECT_THAT(with("num_key_value_heads", 3), HasSubstr("cannot share 3"));
  EXPECT_THAT(with("experts_per_token", 7), HasSubstr("experts per token"));
  EXPECT_THAT(with("head_dim", 63), HasSubstr("even"));
  EXPECT_THAT(with("rope_theta", 0), HasSubstr("rope"));
  EXPECT_THAT(with("rms_norm_eps", 0), HasSubstr("epsilon"));
  Json missing = Least();
  missing.erase("vocab_size");
  EXPECT_THAT(ErrorOf(missing), HasSubstr("'vocab_size' is missing"));
}

TEST(ConfigJson, TheOriginalNames) {
  const Json json = {{"num_hidden_layers", 24},   {"num_experts", 32},
                     {"experts_per_token", 4},    {"vocab_size", 201088},
                     {"hidden_size", 2880},       {"intermediate_size", 2880},
                     {"swiglu_limit", 7.0},       {"head_dim", 64},
                     {"num_attention_heads", 64}, {"num_key_value_heads", 8},
                     {"sliding_window", 128},     {"initial_context_length", 4096},
                     {"rope_theta", 150000},      {"rope_scaling_factor", 32.0},
                     {"rope_ntk_alpha", 1},       {"rope_ntk_beta", 32}};
  const auto file = ConfigFile::Read("config.json", json.dump());
  ASSERT_TRUE(file);
  EXPECT_TRUE(IsOriginalConfig(*file));
  const auto config = ReadOriginalConfig(*file);
  ASSERT_TRUE(config) << Describe(config.error());
  EXPECT_EQ(config->model.context_max, 131'072U);
  EXPECT_EQ(config->model.rope.beta_fast, 32);
  EXPECT_EQ(config->model.rope.beta_slow, 1);
  EXPECT_EQ(config->model.sliding.size(), 24U);
  const auto hf = ConfigFile::Read("config.json", Least().dump());
  EXPECT_FALSE(IsOriginalConfig(*hf));
}

}  // namespace
}  // namespace safeguard::engine
