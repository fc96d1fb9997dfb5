// The `model` commands, over models that `model synth` writes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/fake_services.h"
#include "apps/output/byte_progress.h"
#include "apps/output/byte_size.h"
#include "apps/run.h"
#include "base/file.h"
#include "base/hash.h"

namespace safeguard::apps {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kShape =
    R"({"model_type":"gpt_oss","num_hidden_layers":2,"hidden_size":64,"intermediate_size":32,)"
    R"("num_attention_heads":4,"num_key_value_heads":2,"head_dim":16,"num_local_experts":4,)"
    R"("vocab_size":300,"rms_norm_eps":1e-5})";

class ModelCommandsTest : public ::testing::Test {
 protected:
  int Call(const std::vector<std::string>& arguments) {
    console.out.clear();
    console.error.clear();
    return static_cast<int>(RunCommand(arguments, services, console, stop));
  }
  std::string Synth(const std::string& name, const std::string& format) {
    const std::string shape = folder.Write("shape.json", kShape);
    const std::string out = folder.Path(name);
    EXPECT_EQ(Call({"model", "synth", "--shape", shape, "--format", format, "--seed", "3", out}), 0)
        << console.error;
    EXPECT_THAT(console.out, HasSubstr("wrote " + out));
    return out;
  }
  nlohmann::json Json() { return nlohmann::json::parse(console.out); }

  FakeServices services;
  FakeConsole console;
  std::atomic<bool> stop = false;
  TestFolder folder;
};

TEST_F(ModelCommandsTest, InfoSaysWhatIsInAModel) {
  const std::string model = Synth("hf", "safetensors");
  EXPECT_EQ(Call({"model", "info", model}), 0);
  EXPECT_THAT(console.out, AllOf(HasSubstr("Hugging Face"), HasSubstr("hidden size             64"),
                                 HasSubstr("1 sliding, 1 full"), HasSubstr("BF16"),
                                 HasSubstr("model.safetensors"), HasSubstr("o200k_harmony")));
  EXPECT_THAT(console.out, Not(HasSubstr("self_attn.sinks")));
  EXPECT_EQ(Call({"model", "info", model, "--tensors"}), 0);
  EXPECT_THAT(console.out,
              AllOf(HasSubstr("model.layers.1.self_attn.sinks"), HasSubstr("4 x 64 x 2 x 16")));
  EXPECT_EQ(Call({"model", "info", model, "--json", "--hash"}), 0);
  const auto json = Json();
  EXPECT_EQ(json["format"], "Hugging Face");
  EXPECT_EQ(json["config"]["experts"], 4);
  EXPECT_EQ(json["config"]["rope_theta"], 150'000);
  EXPECT_EQ(json["config"]["sliding"], nlohmann::json({true, false}));
  EXPECT_EQ(json["tensors"].size(), 3U + 2 * 19);
  const std::string bytes = *ReadFile(model + "/model.safetensors", 1 << 30);
  EXPECT_EQ(json["files"][0]["sha256"],
            Sha256Hex(std::as_bytes(std::span(bytes.data(), bytes.size()))));
  // The parameters are counted from the shape; the tensors must come to the same.
  std::uint64_t numbers = 0;
  for (const auto& tensor : json["tensors"]) {
    std::uint64_t product = tensor["name"].get<std::string>().ends_with("_blocks") ? 2 : 1;
    for (const auto& dimension : tensor["shape"]) {
      product *= dimension.get<std::uint64_t>();
    }
    numbers += tensor["name"].get<std::string>().ends_with("_scales") ? 0 : product;
  }
  EXPECT_EQ(json["parameters"], numbers);
}

TEST_F(ModelCommandsTest, InfoReadsGgufAndOriginal) {
  EXPECT_EQ(Call({"model", "info", Synth("a.gguf", "gguf"), "--json"}), 0);
  EXPECT_EQ(Json()["format"], "GGUF");
  EXPECT_THAT(Json()["tokenizer"].get<std::string>(), HasSubstr("300 tokens"));
  EXPECT_EQ(Call({"model", "info", Synth("o", "original"), "--json"}), 0);
  EXPECT_EQ(Json()["format"], "original");
  EXPECT_EQ(Call({"model", "info", folder.Path("none")}), 4);
  EXPECT_THAT(console.error, HasSubstr("does not exist"));
}

TEST_F(ModelCommandsTest, VerifyChecksTensorsAndHashes) {
  const std::string model = Synth("hf", "safetensors");
  EXPECT_EQ(Call({"model", "verify", model}), 0);
  EXPECT_THAT(console.out, AllOf(HasSubstr("41 tensors have the right name, type and shape"),
                                 HasSubstr("hashes are not checked")));
  EXPECT_EQ(Call({"model", "info", model, "--json", "--hash"}), 0);
  const auto sum = Json()["files"][0]["sha256"].get<std::string>();
  const std::string list = folder.Write("sums", sum + "  model.safetensors\n");
  EXPECT_EQ(Call({"model", "verify", model, "--sha256", list}), 0);
  EXPECT_THAT(console.out, HasSubstr("model.safetensors has the SHA-256 of the list"));
  const std::string wrong = folder.Write(
      "wrong", std::string(64, '0') + "  model.safetensors\n" + sum + "  tokenizer.json\n");
  EXPECT_EQ(Call({"model", "verify", model, "--sha256", wrong, "--json"}), 4);
  const auto json = Json();
  EXPECT_EQ(json["ok"], false);
  EXPECT_THAT(json["hashes"][0]["problem"].get<std::string>(), HasSubstr("expected 0000"));
  EXPECT_THAT(json["hashes"][1]["problem"].get<std::string>(), HasSubstr("is not there"));
  const std::string other = folder.Write("other", sum + "  x.safetensors\n");
  EXPECT_EQ(Call({"model", "verify", model, "--sha256", other}), 4);
  EXPECT_THAT(console.out, HasSubstr("model.safetensors is not in"));
  EXPECT_EQ(Call({"model", "verify", model, "--sha256", folder.Write("bad", "x y\n")}), 2);
}

TEST_F(ModelCommandsTest, VerifyNamesEveryWrongTensor) {
  const std::string model = Synth("hf", "safetensors");
  std::string config = *ReadFile(model + "/config.json", 1 << 20);
  config.replace(config.find("\"vocab_size\": 300"), 17, "\"vocab_size\": 299");
  EXPECT_EQ(folder.Write("hf/config.json", config), model + "/config.json");
  EXPECT_EQ(Call({"model", "verify", model, "--json"}), 4);
  EXPECT_THAT(console.error, AllOf(HasSubstr("'model.embed_tokens.weight' has shape [300, 64]"),
                                   HasSubstr("'lm_head.weight'")));
  EXPECT_EQ(Json()["ok"], false);
}

TEST_F(ModelCommandsTest, SynthRefusesAndStops) {
  const std::string model = Synth("a.gguf", "gguf");
  const std::string shape = folder.Path("shape.json");
  EXPECT_EQ(Call({"model", "synth", "--shape", shape, "--format", "gguf", model}), 2);
  EXPECT_THAT(console.error, HasSubstr("already exists"));
  EXPECT_EQ(Call({"model", "synth", "--shape", shape, "--format", "gguf", model, "--overwrite",
                  "--json"}),
            0);
  EXPECT_EQ(Json()["bytes"], std::filesystem::file_size(model));
  EXPECT_EQ(Call({"model", "synth", "--shape", "21b", folder.Path("x")}), 2);
  EXPECT_THAT(console.error, HasSubstr("choose 20b, 120b, tiny"));
  EXPECT_EQ(Call({"model", "synth", "--shape", "tiny", "--format", "onnx", folder.Path("x")}), 2);
  stop = true;
  EXPECT_EQ(Call({"model", "synth", "--shape", shape, folder.Path("stopped")}), 130);
  EXPECT_TRUE(std::filesystem::is_empty(folder.Path("stopped")));
}

TEST(ByteText, SizesAndProgress) {
  EXPECT_EQ(ByteSize(1023), "1023 B");
  EXPECT_EQ(ByteSize(13'761'300'984), "12.8 GiB");
  EXPECT_EQ(ByteProgressText("Reading", 512, 1024, 0, 100),
            "Reading [###############...............]  50 %  512 B of 1.0 KiB");
  EXPECT_EQ(ByteProgressText("Reading", 1 << 20, 4 << 20, 10, 40),
            "Reading  25 %  1.0 MiB of 4.0 MiB  0:30 left");
  EXPECT_THAT(ByteProgressText("Reading", 0, 0, 5, 40), HasSubstr("100 %"));
}

}  // namespace
}  // namespace safeguard::apps
