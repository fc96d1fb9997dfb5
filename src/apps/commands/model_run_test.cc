// `model logits` and `model generate`, over a model that `model synth` writes.
#include "apps/commands/model_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/fake_services.h"
#include "apps/input/token_ids.h"
#include "apps/run.h"
#include "base/file.h"

namespace safeguard::apps {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kShape =
    R"({"model_type":"gpt_oss","num_hidden_layers":2,"hidden_size":64,"intermediate_size":32,)"
    R"("num_attention_heads":4,"num_key_value_heads":2,"head_dim":16,"num_local_experts":4,)"
    R"("vocab_size":300,"rms_norm_eps":1e-5,"max_position_embeddings":256})";

class ModelRunTest : public ::testing::Test {
 protected:
  int Call(const std::vector<std::string>& arguments) {
    console.out.clear();
    console.error.clear();
    return static_cast<int>(RunCommand(arguments, services, console, stop));
  }
  std::string Synth(const std::string& name, const std::string& format) {
    const std::string shape = folder.Write("shape.json", kShape);
    EXPECT_EQ(Call({"model", "synth", "--shape", shape, "--format", format, folder.Path(name)}), 0)
        << console.error;
    return folder.Path(name);
  }
  // The floats of the file that --out wrote.
  std::vector<float> Written(const std::string& path, const std::string& header) {
    const std::string bytes = *ReadFile(path, 1 << 24);
    EXPECT_THAT(bytes, HasSubstr(header));
    const std::size_t begin = 8 + static_cast<unsigned char>(bytes[0]);
    std::vector<float> values((bytes.size() - begin) / sizeof(float));
    std::memcpy(values.data(), bytes.data() + begin, values.size() * sizeof(float));
    return values;
  }

  FakeServices services;
  FakeConsole console;
  std::atomic<bool> stop = false;
  TestFolder folder;
};

TEST_F(ModelRunTest, LogitsAreShownAndWritten) {
  const std::string model = Synth("hf", "safetensors");
  const std::string ids = folder.Write("ids", "5, 6 7\n8,299");
  const std::string out = folder.Path("logits.safetensors");
  EXPECT_EQ(Call({"model", "logits", model, "--ids", "@" + ids, "--last", "3", "--out", out,
                  "--precision", "f32"}),
            0)
      << console.error;
  EXPECT_THAT(console.out, HasSubstr("F32 [3, 300]"));
  const auto three = Written(out, R"("dtype":"F32","shape":[3,300],"data_offsets":[0,3600])");
  ASSERT_EQ(three.size(), 900U);
  EXPECT_EQ(
      Call({"model", "logits", model, "--ids", "5,6,7,8", "--out", out, "--precision", "f32"}), 0);
  const auto one = Written(out, R"("shape":[1,300])");
  ASSERT_EQ(one.size(), 300U);
  EXPECT_EQ(std::memcmp(one.data(), three.data() + 300, 300 * sizeof(float)), 0);
  const auto best = LargestLogits(one.data(), 300, 1).front();
  EXPECT_THAT(console.out, HasSubstr(std::to_string(best.id) + " "));
}

TEST_F(ModelRunTest, GeneratingIsTakingTheLargestLogitAgainAndAgain) {
  const std::string model = Synth("m.gguf", "gguf");
  EXPECT_EQ(Call({"model", "generate", model, "--ids", "1,2,3", "--greedy", "--max-tokens", "4",
                  "--json"}),
            0)
      << console.error;
  const auto json = nlohmann::json::parse(console.out);
  EXPECT_EQ(json["end"], "max tokens");
  const auto ids = json["ids"].get<std::vector<std::uint32_t>>();
  ASSERT_EQ(ids.size(), 4U);
  std::string so_far = "1,2,3";
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::string out = folder.Path("l.safetensors");
    EXPECT_EQ(Call({"model", "logits", model, "--ids", so_far, "--out", out}), 0);
    const auto best = LargestLogits(Written(out, "logits").data(), 300, 1).front();
    EXPECT_EQ(best.id, ids[i]);
    EXPECT_NEAR(best.logprob, json["logprobs"][i].get<double>(), 1e-12);
    so_far += "," + std::to_string(ids[i]);
  }
}

TEST_F(ModelRunTest, AFullContextEndsGeneration) {
  const std::string model = Synth("hf", "safetensors");
  std::string ids = "1";
  for (int i = 0; i < 250; ++i) {
    ids += ",2";
  }
  EXPECT_EQ(Call({"model", "generate", model, "--ids", ids, "--greedy", "--json"}), 0);
  const auto json = nlohmann::json::parse(console.out);
  EXPECT_EQ(json["end"], "context");
  EXPECT_EQ(json["ids"].size(), 6U);  // the last one needs no room
}

TEST_F(ModelRunTest, WrongIdsAndChoicesAreNamed) {
  const std::string model = Synth("hf", "safetensors");
  const auto fails = [&](const std::string& ids, const std::string& why) {
    EXPECT_EQ(Call({"model", "logits", model, "--ids", ids}), 2) << ids;
    EXPECT_THAT(console.error, HasSubstr(why));
  };
  fails("1,2,300", "number 3 is 300, but this model's ids end at 299");
  fails("1,x", "number 2 is 'x', which is no token id");
  fails("-1", "no token id");
  fails("99999999999", "no token id");
  fails(",", "there is no id");
  std::string many = "1";
  for (int i = 0; i < 256; ++i) {
    many += ",1";
  }
  fails(many, "more than the 256 tokens");
  EXPECT_EQ(Call({"model", "generate", model, "--ids", "1"}), 2);
  EXPECT_THAT(console.error, HasSubstr("--greedy"));
  EXPECT_EQ(Call({"model", "logits", model, "--ids", "@" + folder.Path("none")}), 4);
  EXPECT_EQ(Call({"model", "logits", folder.Path("none"), "--ids", "1"}), 4);
  stop = true;
  EXPECT_EQ(Call({"model", "logits", model, "--ids", "1"}), 130);
}

TEST(LargestLogits, EqualOnesByIdWithLogprobs) {
  const std::vector<float> row = {1, 3, 3, 2};
  const auto ranked = LargestLogits(row.data(), 4, 4);
  std::vector<std::uint32_t> ids;
  double total = 0;
  for (const RankedToken& token : ranked) {
    ids.push_back(token.id);
    total += std::exp(token.logprob);
  }
  EXPECT_THAT(ids, ElementsAre(1U, 2U, 3U, 0U));
  EXPECT_NEAR(total, 1, 1e-12);
}

}  // namespace
}  // namespace safeguard::apps
