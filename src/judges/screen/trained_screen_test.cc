// The trained screen from files: MiniLM-L6's own layers with a made-up classifier stand in for
// trained ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "base/hash.h"
#include "judges/screen_judge.h"
#include "moderation/policy.h"

namespace safeguard::judges {
namespace {

using testing::HasSubstr;

std::string BaseFolder() {
  const char* models = std::getenv("SAFEGUARD_MODELS");
  return (models != nullptr ? std::string(models) : SAFEGUARD_SOURCE_DIR "/build/models") +
         "/minilm-l6-v2";
}

std::string ReadBytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void WriteBytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

class TrainedScreen : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(BaseFolder() + "/config.json")) {
      GTEST_SKIP() << "NO MODEL: " << BaseFolder() << " does not exist; set SAFEGUARD_MODELS";
    }
    std::string pattern = (std::filesystem::temp_directory_path() / "safeguard.XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    std::filesystem::create_directory(folder_ + "/screen");
    ::setenv("SAFEGUARD_CACHE", (folder_ + "/cache").c_str(), 1);
    base_ = ReadBytes(BaseFolder() + "/model.safetensors");
    WriteWeights();
    WriteConfig(Sha256Hex(std::as_bytes(std::span(base_))));
  }
  void TearDown() override {
    if (!folder_.empty()) {
      std::filesystem::remove_all(folder_);
    }
  }
  // The base's file with a classifier behind its tensors.
  void WriteWeights() {
    std::uint64_t size = 0;
    std::memcpy(&size, base_.data(), sizeof size);
    std::string header = base_.substr(8, size);
    header.resize(header.rfind('}'));
    const std::size_t data = base_.size() - 8 - size;
    header += R"(,"classifier.weight":{"dtype":"F32","shape":[1,384],"data_offsets":[)" +
              std::to_string(data) + "," + std::to_string(data + 1536) +
              R"(]},"classifier.bias":{"dtype":"F32","shape":[1],"data_offsets":[)" +
              std::to_string(data + 1536) + "," + std::to_string(data + 1540) + "]}}";
    std::string numbers;
    for (int i = 0; i < 385; ++i) {
      const float number = i == 384 ? 0.0F : (static_cast<float>(37 * i % 101) - 50) / 500;
      numbers.append(reinterpret_cast<const char*>(&number), sizeof number);
    }
    const std::uint64_t length = header.size();
    weights_ = std::string(reinterpret_cast<const char*>(&length), sizeof length) + header +
               base_.substr(8 + size) + numbers;
    WriteBytes(folder_ + "/screen/model.safetensors", weights_);
  }
  void WriteConfig(const std::string& base_sha256) {
    WriteBytes(folder_ + "/screen/config.json",
               R"({"base":"minilm-l6-v2","base_sha256":")" + base_sha256 +
                   R"(","split_layers":3,"policy_tokens_max":128,"content_tokens_max":160,)"
                   R"("threshold":0.5,"logit_scale":1.0,"logit_offset":0.0})");
  }
  Result<std::unique_ptr<moderation::Judge>> Open(std::size_t threads = 2) {
    return OpenScreenJudge(
        {.model_folder = BaseFolder(), .trained_folder = folder_ + "/screen", .threads = threads});
  }
  std::string OpenError() {
    const auto judge = Open();
    return judge ? "" : Describe(judge.error());
  }

  std::string folder_;
  std::string base_;
  std::string weights_;
};

TEST_F(TrainedScreen, JudgesAndSaysWhoDecided) {
  const auto policy =
      moderation::ReadPolicy("# Ads\n\n## Violates\n- A1 Sells things.\n- A2 Links.\n", "ads");
  std::vector<double> scores;
  for (const std::size_t threads : {1, 3}) {
    const auto judge = Open(threads);
    ASSERT_TRUE(judge) << judge.error().message;
    const std::vector prepared = {(*judge)->Prepare(*policy, {}).value()};
    const moderation::Content content = moderation::UserMessage("Buy my watches. They are cheap.");
    const auto verdict = (*judge)->Decide(prepared, std::span(&content, 1)).at(0);
    EXPECT_EQ(verdict.decided_by.layer, "screen");
    EXPECT_EQ(verdict.decided_by.model, "trained-minilm-l6-v2");
    EXPECT_EQ(verdict.decided_by.model_hash, Sha256Hex(std::as_bytes(std::span(weights_))));
    EXPECT_THAT(verdict.rationale, HasSubstr("trained on many policies, not the reasoner"));
    scores.push_back(verdict.score.value());
  }
  EXPECT_EQ(scores[0], scores[1]);
  EXPECT_GT(scores[0], 0.01);
  EXPECT_LT(scores[0], 0.99);
}

TEST_F(TrainedScreen, WhatDoesNotFitIsSaidClearly) {
  EXPECT_EQ(OpenError(), "");
  WriteConfig(std::string(64, '0'));
  EXPECT_THAT(OpenError(), HasSubstr("was trained on another model than " + BaseFolder()));
  WriteBytes(folder_ + "/screen/model.safetensors", weights_.substr(0, weights_.size() / 2));
  EXPECT_THAT(OpenError(), HasSubstr("/screen/model.safetensors"));
  std::filesystem::remove(folder_ + "/screen/model.safetensors");
  EXPECT_THAT(OpenError(), HasSubstr("/screen/model.safetensors"));
  WriteBytes(folder_ + "/screen/config.json", "{}");
  EXPECT_THAT(OpenError(), HasSubstr("/screen/config.json"));
}

class TunedScreen : public TrainedScreen {
 protected:
  void WriteTunedConfig(const std::string& numbers, const std::string& base_sha256) {
    WriteBytes(folder_ + "/screen/config.json",
               R"({"kind":"embedding","base":"minilm-l6-v2","base_sha256":")" + base_sha256 +
                   "\"," + numbers + "}");
  }
  std::string Base() const { return Sha256Hex(std::as_bytes(std::span(base_))); }
  static double ScoreOf(moderation::Judge& judge, const std::string& rule = "Sells things") {
    const auto policy = moderation::ReadPolicy("# Ads\n\n## Violates\n- A1 " + rule + "\n", "ads");
    const auto prepared = judge.Prepare(*policy, {});
    return judge.Decide({{*prepared}}, {{moderation::UserMessage("Cheap shoes for sale!")}})[0]
        .score.value();
  }
};

TEST_F(TunedScreen, WithTheBasesOwnLayersItIsTheEmbeddingScreen) {
  WriteTunedConfig(R"("slope":8.0,"safe_share":0.6,"margin":0.13)", Base());
  const auto tuned = Open();
  ASSERT_TRUE(tuned) << Describe(tuned.error());
  const auto plain = OpenScreenJudge({.model_folder = BaseFolder()});
  ASSERT_TRUE(plain) << Describe(plain.error());
  EXPECT_EQ(ScoreOf(**tuned), ScoreOf(**plain));
  WriteTunedConfig(R"("slope":8.0,"safe_share":0.6,"margin":0.23)", Base());
  const auto stricter = Open();
  ASSERT_TRUE(stricter) << Describe(stricter.error());
  EXPECT_LT(ScoreOf(**stricter), ScoreOf(**plain));
  // A tuned encoder learned rules without their dress.
  EXPECT_EQ(ScoreOf(**tuned, "**Sells** things."), ScoreOf(**tuned));
}

TEST_F(TunedScreen, WhatDoesNotFitIsSaidClearly) {
  WriteTunedConfig(R"("slope":8.0,"safe_share":0.6,"margin":0.13)", std::string(64, '0'));
  EXPECT_THAT(OpenError(), HasSubstr("was trained on another model than " + BaseFolder()));
  WriteTunedConfig(R"("slope":-8.0,"safe_share":0.6,"margin":0.13)", Base());
  EXPECT_THAT(OpenError(), HasSubstr("'slope' is outside its range"));
  WriteTunedConfig(R"("slope":8.0,"safe_share":0.6,"margin":0.13,"nearest_share":1.5)", Base());
  EXPECT_THAT(OpenError(), HasSubstr("'nearest_share' is outside its range"));
  WriteTunedConfig(R"("slope":8.0,"safe_share":0.6)", Base());
  EXPECT_THAT(OpenError(), HasSubstr("'margin' is no number"));
  WriteBytes(folder_ + "/screen/config.json", "[");
  EXPECT_THAT(OpenError(), HasSubstr("/screen/config.json is no JSON object"));
}

}  // namespace
}  // namespace safeguard::judges
