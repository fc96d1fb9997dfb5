#include "engine/model/gguf/gguf_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "engine/model/gguf/gguf_text.h"
#include "engine/model/gguf/gguf_weights.h"

namespace safeguard::engine {
namespace {

using testing::HasSubstr;

GgufText Least(const std::string& architecture) {
  GgufText text;
  const std::string p = architecture + ".";
  text.Set("general.architecture", architecture);
  text.Set(p + "block_count", 2U);
  text.Set(p + "embedding_length", 64U);
  text.Set(p + "feed_forward_length", 96U);
  text.Set(p + "attention.head_count", 4U);
  text.Set(p + "attention.head_count_kv", 2U);
  text.Set(p + "expert_count", 6U);
  text.Set(p + "vocab_size", 10U);
  return text;
}

Result<GptOssConfig> Read(const GgufText& text) {
  const std::string bytes = text.File(0);
  const auto file = GgufFile::Read("x.gguf", BytesOf(bytes));
  EXPECT_TRUE(file);
  return ReadGgufConfig(**file);
}

std::string ErrorOf(const GgufText& text) {
  const auto config = Read(text);
  return config ? "" : config.error().message;
}

TEST(GgufConfig, BothArchitectureNamesAndTheDefaults) {
  for (const char* architecture : {"gpt-oss", "gptoss"}) {
    const auto config = Read(Least(architecture));
    ASSERT_TRUE(config) << Describe(config.error());
    EXPECT_EQ(config->layers, 2U);
    EXPECT_EQ(config->intermediate, 96U);
    EXPECT_EQ(config->experts, 6U);
    EXPECT_EQ(config->experts_per_token, 4U);
    EXPECT_EQ(config->head_dim, 64U);
    EXPECT_EQ(config->sliding_window, 128U);
    EXPECT_EQ(config->vocabulary, 10U);
    EXPECT_EQ(config->rope.factor, 32);
    EXPECT_FALSE(config->rope.truncate);
    EXPECT_EQ(config->sliding, (std::vector<bool>{true, false}));
  }
}

TEST(GgufConfig, ValuesOfOtherKinds) {
  GgufText text = Least("gpt-oss");
  text.Set("gpt-oss.expert_feed_forward_length", GgufType::kU64, GgufText::U64(160));
  text.Set("gpt-oss.attention.sliding_window", GgufType::kArray,
           GgufText::U32(4) + GgufText::U64(2) + GgufText::U32(32) + GgufText::U32(32));
  text.Set("gpt-oss.attention.sliding_window_pattern", GgufType::kArray,
           GgufText::U32(7) + GgufText::U64(2) + std::string("\0\1", 2));
  text.Set("gpt-oss.rope.scaling.type", "none");
  const auto config = Read(text);
  ASSERT_TRUE(config) << Describe(config.error());
  EXPECT_EQ(config->intermediate, 160U);
  EXPECT_EQ(config->sliding_window, 32U);
  EXPECT_EQ(config->sliding, (std::vector<bool>{false, true}));
  EXPECT_EQ(config->rope.factor, 1);
  GgufText period = Least("gpt-oss");
  period.Set("gpt-oss.attention.sliding_window_pattern", 1U);
  EXPECT_EQ(Read(period)->sliding, (std::vector<bool>{false, false}));
}

TEST(GgufConfig, WhatCannotBeRunIsRefused) {
  EXPECT_THAT(ErrorOf(Least("llama")), HasSubstr("this is a 'llama' model"));
  EXPECT_THAT(ErrorOf(GgufText()), HasSubstr("architecture is not named"));
  const auto with = [](const std::string& key, auto value) {
    GgufText text = Least("gpt-oss");
    text.Set(key, value);
    return ErrorOf(text);
  };
  EXPECT_THAT(with("split.count", 3U), HasSubstr("one of 3 parts"));
  EXPECT_THAT(with("gpt-oss.rope.scaling.type", std::string_view("longrope")),
              HasSubstr("'longrope'"));
  EXPECT_THAT(with("gpt-oss.rope.dimension_count", 32U), HasSubstr("rope.dimension_count"));
  EXPECT_THAT(with("gpt-oss.attention.value_length", 32U), HasSubstr("value_length"));
  EXPECT_THAT(with("gpt-oss.context_length", 0U), HasSubstr("context_length"));
  EXPECT_THAT(with("gpt-oss.attention.sliding_window", std::string_view("x")),
              HasSubstr("sliding_window"));
  EXPECT_THAT(with("gpt-oss.expert_used_count", 7U), HasSubstr("experts per token"));
  GgufText missing;
  missing.Set("general.architecture", "gpt-oss");
  EXPECT_THAT(ErrorOf(missing), HasSubstr("'gpt-oss.block_count' is missing"));
}

TEST(GgufTokenizer, TablesAreViewsAndChecked) {
  GgufText text = Least("gpt-oss");
  text.Set("tokenizer.ggml.model", "gpt2");
  text.SetTexts("tokenizer.ggml.tokens", {"a", "b", "ab"});
  text.SetTexts("tokenizer.ggml.merges", {"a b"});
  text.Set(
      "tokenizer.ggml.token_type", GgufType::kArray,
      GgufText::U32(5) + GgufText::U64(3) + GgufText::U32(1) + GgufText::U32(1) + GgufText::U32(3));
  const std::string bytes = text.File(0);
  const auto file = GgufFile::Read("x", BytesOf(bytes));
  ASSERT_TRUE(file);
  const auto tokenizer = ReadGgufTokenizer(**file, 10);
  ASSERT_TRUE(tokenizer) << Describe(tokenizer.error());
  EXPECT_EQ(tokenizer->tokens, (std::vector<std::string_view>{"a", "b", "ab"}));
  EXPECT_EQ(tokenizer->merges, (std::vector<std::string_view>{"a b"}));
  EXPECT_EQ(tokenizer->token_types, (std::vector<std::int32_t>{1, 1, 3}));
  EXPECT_FALSE(ReadGgufTokenizer(**file, 2)) << "more tokens than rows of the embedding";
}

TEST(GgufTokenizer, OtherTokenizersAreLeftAlone) {
  GgufText text = Least("gpt-oss");
  text.Set("tokenizer.ggml.model", "llama");
  text.Set("tokenizer.ggml.tokens", 7U);
  const std::string bytes = text.File(0);
  const auto file = GgufFile::Read("x", BytesOf(bytes));
  const auto tokenizer = ReadGgufTokenizer(**file, 10);
  ASSERT_TRUE(tokenizer);
  EXPECT_TRUE(tokenizer->tokens.empty());
}

// Ollama's own names: fused qkv, gate and up interleaved in one tensor, nibbles adjacent.
TEST(GgufWeights, OllamasNames) {
  GptOssConfig config;
  config.layers = 1;
  config.hidden = 32;
  config.intermediate = 32;
  config.heads = 2;
  config.kv_heads = 1;
  config.head_dim = 4;
  config.experts = 2;
  config.vocabulary = 3;
  static constexpr std::array<std::byte, 4096> kBytes{};
  const auto tensor = [](const std::string& name, StoredType type,
                         std::vector<std::uint64_t> shape) {
    return StoredTensor{name, type, "?", std::move(shape), kBytes, 0};
  };
  const StoredType plain = StoredType::kF32;
  const StoredType packed = StoredType::kMxfp4Adjacent;
  const std::vector<StoredTensor> tensors = {
      tensor("token_embd.weight", plain, {3, 32}),
      tensor("output_norm.weight", plain, {32}),
      tensor("output.weight", plain, {3, 32}),
      tensor("blk.0.attn_norm.weight", plain, {32}),
      tensor("blk.0.attn_qkv.weight", plain, {16, 32}),
      tensor("blk.0.attn_qkv.bias", plain, {16}),
      tensor("blk.0.attn_sinks", plain, {2}),
      tensor("blk.0.attn_out.weight", plain, {32, 8}),
      tensor("blk.0.attn_out.bias", plain, {32}),
      tensor("blk.0.ffn_norm.weight", plain, {32}),
      tensor("blk.0.ffn_gate_inp.weight", plain, {2, 32}),
      tensor("blk.0.ffn_gate_inp.bias", plain, {2}),
      tensor("blk.0.ffn_gate_up_exps.weight", packed, {2, 64, 32}),
      tensor("blk.0.ffn_gate_up_exps.bias", plain, {2, 64}),
      tensor("blk.0.ffn_down_exps.weight", packed, {2, 32, 32}),
      tensor("blk.0.ffn_down_exps.bias", plain, {2, 32}),
  };
  TensorFinder finder(tensors);
  const GptOssWeights weights = GgufWeights(config, finder);
  const Status status = finder.Finish("x");
  ASSERT_TRUE(status) << Describe(status.error());
  EXPECT_TRUE(finder.Unused().empty());
  const LayerWeights& layer = weights.layers[0];
  EXPECT_EQ(layer.key.data, kBytes.data() + 8 * 32 * 4);
  EXPECT_EQ(layer.value_bias.data, kBytes.data() + 12 * 4);
  const ExpertWeights& second = layer.experts[1];
  EXPECT_EQ(second.up.mxfp4.order, NibbleOrder::kAdjacent);
  EXPECT_EQ(second.up.mxfp4.scales, kBytes.data() + (64 + 1) * 17);
  EXPECT_EQ(second.up.mxfp4.codes, kBytes.data() + (64 + 1) * 17 + 1);
  EXPECT_EQ(second.up.mxfp4.code_row_stride, 34U);
  EXPECT_EQ(second.up_bias.data, kBytes.data() + (64 + 1) * 4);
  EXPECT_EQ(second.up_bias.stride, 8U);
}

}  // namespace
}  // namespace safeguard::engine
