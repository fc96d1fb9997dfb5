#include "engine/encoder/pair_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/encoder/tiny_model.h"

namespace safeguard::engine {
namespace {

using testing::HasSubstr;

Result<PairConfig> Read(const std::string& json) {
  const TemporaryFolder folder;
  WriteText(folder.path() + "/config.json", json);
  EncoderConfig base;
  base.layers = 6;
  base.positions_max = 512;
  return ReadPairConfig(folder.path() + "/config.json", base);
}

std::string With(const std::string& from, const std::string& to) {
  std::string json = TinyPairConfig({});
  const std::size_t at = json.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return json.replace(at, from.size(), to);
}

TEST(PairConfig, ReadsEveryKey) {
  const Result<PairConfig> config = Read(TinyPairConfig({.split = 3}));
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->base, "tiny");
  EXPECT_EQ(config->base_sha256, std::string(64, 'a'));
  EXPECT_EQ(config->split_layers, 3U);
  EXPECT_EQ(config->policy_tokens_max, 24U);
  EXPECT_EQ(config->content_tokens_max, 30U);
  EXPECT_DOUBLE_EQ(config->threshold, 0.5);
  EXPECT_DOUBLE_EQ(config->logit_scale, 1.5);
  EXPECT_DOUBLE_EQ(config->logit_offset, -0.25);
}

TEST(PairConfig, WhatIsMissingOrOutOfBoundsIsNamed) {
  for (const char* key : {"base\"", "base_sha256", "split_layers", "policy_tokens_max",
                          "content_tokens_max", "threshold", "logit_scale", "logit_offset"}) {
    const std::string name = std::string(key).substr(0, std::string(key).find('"'));
    const auto missing = Read(With("\"" + name + "\"", "\"other\""));
    ASSERT_FALSE(missing) << name;
    EXPECT_THAT(missing.error().message, HasSubstr(name));
    EXPECT_THAT(missing.error().message, HasSubstr("config.json"));
  }
  for (const auto& [from, to] :
       {std::pair(R"("split_layers":1)", R"("split_layers":6)"),
        std::pair(R"("policy_tokens_max":24)", R"("policy_tokens_max":513)"),
        std::pair(R"("content_tokens_max":30)", R"("content_tokens_max":2)"),
        std::pair(R"("threshold":0.5)", R"("threshold":1.5)"),
        std::pair(R"("logit_scale":1.5)", R"("logit_scale":0)"),
        std::pair(R"("logit_offset":-0.25)", R"("logit_offset":"none")"),
        std::pair(R"("base_sha256":"aa)", R"("base_sha256":"zz)")}) {
    EXPECT_FALSE(Read(With(from, to))) << to;
  }
  EXPECT_FALSE(Read("{"));
  EXPECT_FALSE(Read("[]"));
}

}  // namespace
}  // namespace safeguard::engine
