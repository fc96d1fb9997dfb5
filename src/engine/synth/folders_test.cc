// How checkpoints are found from a path, and what a person is told of one that is not whole.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/file.h"
#include "engine/model/checkpoint.h"
#include "engine/model/dequantize.h"
#include "engine/model/safetensors.h"
#include "engine/synth/small_model.h"

namespace safeguard::engine {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

class FoldersTest : public testing::Test {
 protected:
  std::string Make(SynthFormat format, const std::string& name) {
    const SynthRequest request = folder_.Request(SmallConfig(), format, name);
    const auto written = SynthesizeModel(request);
    EXPECT_TRUE(written) << Describe(written.error());
    return request.out;
  }
  static CheckpointFormat FormatOf(const std::string& path) {
    const auto opened = Checkpoint::Open(path);
    EXPECT_TRUE(opened) << Describe(opened.error());
    return opened ? (*opened)->format() : CheckpointFormat::kGguf;
  }
  static std::string ErrorOf(const std::string& path) {
    const auto opened = Checkpoint::Open(path);
    return opened ? "" : opened.error().message;
  }
  // Replaces text in a file, by as many bytes.
  static void Replace(const std::string& file, const std::string& from, const std::string& to) {
    std::string text = *ReadFile(file, 1 << 30);
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + 1)) {
      text.replace(at, from.size(), to);
    }
    std::ofstream(file, std::ios::binary) << text;
  }

  SynthFolder folder_;
};

TEST_F(FoldersTest, EveryWayToNameAModel) {
  const std::string hf = Make(SynthFormat::kSafetensors, "hf");
  EXPECT_EQ(FormatOf(hf), CheckpointFormat::kHuggingFace);
  EXPECT_EQ(FormatOf(hf + "/"), CheckpointFormat::kHuggingFace);
  EXPECT_EQ(FormatOf(hf + "/model.safetensors"), CheckpointFormat::kHuggingFace);
  EXPECT_EQ(FormatOf(hf + "/config.json"), CheckpointFormat::kHuggingFace);
  std::ofstream(hf + "/tokenizer.json") << "{}";
  EXPECT_EQ((*Checkpoint::Open(hf))->tokenizer().tokenizer_json_path, hf + "/tokenizer.json");
  fs::create_directories(folder_.Path("root"));
  const std::string original = Make(SynthFormat::kOriginal, "root/original");
  EXPECT_EQ(FormatOf(original), CheckpointFormat::kOriginal);
  EXPECT_EQ(FormatOf(folder_.Path("root")), CheckpointFormat::kOriginal);
  fs::copy_file(hf + "/config.json", folder_.Path("root/config.json"));
  fs::copy_file(hf + "/tokenizer.json", folder_.Path("root/tokenizer.json"));
  EXPECT_EQ(FormatOf(folder_.Path("root")), CheckpointFormat::kOriginal);
  EXPECT_EQ((*Checkpoint::Open(original))->tokenizer().tokenizer_json_path,
            folder_.Path("root/tokenizer.json"));
  fs::create_directories(folder_.Path("one"));
  const std::string gguf = Make(SynthFormat::kGguf, "one/a.gguf");
  EXPECT_EQ(FormatOf(gguf), CheckpointFormat::kGguf);
  EXPECT_EQ(FormatOf(folder_.Path("one")), CheckpointFormat::kGguf);
  fs::rename(gguf, folder_.Path("one/sha256-0123"));
  EXPECT_EQ(FormatOf(folder_.Path("one/sha256-0123")), CheckpointFormat::kGguf) << "as Ollama does";
  Make(SynthFormat::kGguf, "one/a.gguf");
  Make(SynthFormat::kGguf, "one/b.gguf");
  EXPECT_THAT(ErrorOf(folder_.Path("one")), HasSubstr("holds 2 .gguf files"));
}

TEST_F(FoldersTest, OneErrorListsEveryWrongTensor) {
  const std::string hf = Make(SynthFormat::kSafetensors, "hf");
  Replace(hf + "/model.safetensors", "layers.0.self_attn.sinks", "layers.0.self_attn.sinkz");
  Replace(hf + "/model.safetensors", "layers.1.mlp.router.bias\":{\"dtype\":\"BF16\"",
          "layers.1.mlp.router.bias\":{\"dtype\": \"I16\"");
  Replace(hf + "/config.json", "\"vocab_size\": 300", "\"vocab_size\": 301");
  EXPECT_THAT(ErrorOf(hf),
              AllOf(HasSubstr("'model.layers.0.self_attn.sinks' is missing"),
                    HasSubstr("'model.layers.1.mlp.router.bias' is I16, wanted F32, F16, BF16"),
                    HasSubstr("'model.embed_tokens.weight' has shape [300, 96], wanted [301, 96]"),
                    HasSubstr("'lm_head.weight' has shape")));
  const std::string gguf = Make(SynthFormat::kGguf, "a.gguf");
  Replace(gguf, "blk.1.ffn_up_exps.weight", "blk.1.ffn_uq_exps.weight");
  EXPECT_THAT(ErrorOf(gguf), HasSubstr("'blk.1.ffn_up_exps.weight' is missing"));
}

TEST_F(FoldersTest, TensorsWithoutAPlaceAreMarked) {
  const std::string hf = Make(SynthFormat::kSafetensors, "hf");
  Replace(hf + "/config.json", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1");
  Replace(hf + "/config.json", ",\n    \"full_attention\"", "");
  const auto opened = Checkpoint::Open(hf);
  ASSERT_TRUE(opened) << Describe(opened.error());
  for (const CheckpointTensor& tensor : (*opened)->tensors()) {
    EXPECT_EQ(tensor.used, tensor.name.find("layers.1.") == std::string::npos) << tensor.name;
  }
}

// A safetensors file put together in memory.
class PlainFile {
 public:
  void Add(const std::string& name, const char* dtype, const std::vector<std::uint64_t>& shape,
           std::string_view bytes) {
    header_[name] = {{"dtype", dtype},
                     {"shape", shape},
                     {"data_offsets", {data_.size(), data_.size() + bytes.size()}}};
    data_ += bytes;
  }
  void Add(const std::string& name, const std::vector<std::uint64_t>& shape,
           const std::vector<float>& numbers) {
    Add(name, "F32", shape,
        {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(float)});
  }
  void Write(const std::string& path) const {
    const std::string json = header_.dump();
    std::string length(8, '\0');
    for (std::size_t i = 0; i < 8; ++i) {
      length[i] = static_cast<char>(json.size() >> (8 * i) & 0xFF);
    }
    std::ofstream(path, std::ios::binary) << length << json << data_;
  }

 private:
  nlohmann::ordered_json header_;
  std::string data_;
};

// The experts of a layer as plain numbers, transposed, as a fine-tuning framework would save them.
void AddTransposed(const GptOssConfig& config, const LayerWeights& layer, const std::string& prefix,
                   PlainFile& file) {
  std::vector<float> gate_up(config.experts * config.hidden * 2 * config.intermediate);
  std::vector<float> down(config.experts * config.intermediate * config.hidden);
  for (std::size_t e = 0; e < config.experts; ++e) {
    const ExpertWeights& expert = layer.experts[e];
    for (std::size_t i = 0; i < config.intermediate; ++i) {
      for (std::size_t h = 0; h < config.hidden; ++h) {
        float* at = &gate_up[((e * config.hidden + h) * config.intermediate + i) * 2];
        DequantizeRow(expert.gate, i, h, {at, 1});
        DequantizeRow(expert.up, i, h, {at + 1, 1});
        DequantizeRow(expert.down, h, i,
                      {&down[(e * config.intermediate + i) * config.hidden + h], 1});
      }
    }
  }
  file.Add(prefix + "gate_up_proj", {config.experts, config.hidden, 2 * config.intermediate},
           gate_up);
  file.Add(prefix + "down_proj", {config.experts, config.intermediate, config.hidden}, down);
}

void ExpectEqual(const MatrixView& a, const MatrixView& b) {
  ASSERT_EQ(a.rows, b.rows);
  std::vector<float> x(a.columns);
  std::vector<float> y(b.columns);
  for (std::size_t row = 0; row < a.rows; ++row) {
    DequantizeRow(a, row, 0, x);
    DequantizeRow(b, row, 0, y);
    EXPECT_EQ(x, y);
  }
}

TEST_F(FoldersTest, DequantisedExpertsAreTransposed) {
  const std::string hf = Make(SynthFormat::kSafetensors, "hf");
  const auto packed = Checkpoint::Open(hf);
  const auto file = Safetensors::Open(hf + "/model.safetensors");
  ASSERT_TRUE(packed && file);
  const GptOssConfig& config = (*packed)->config();
  PlainFile plain;
  for (const TensorEntry& entry : (*file)->entries()) {
    if (!entry.name.ends_with("_blocks") && !entry.name.ends_with("_scales")) {
      const auto bytes = (*file)->BytesOf(entry);
      plain.Add(entry.name, ToString(entry.dtype), entry.shape,
                {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    }
  }
  for (std::size_t l = 0; l < config.layers; ++l) {
    AddTransposed(config, (*packed)->weights().layers[l],
                  "model.layers." + std::to_string(l) + ".mlp.experts.", plain);
  }
  fs::create_directories(folder_.Path("plain"));
  plain.Write(folder_.Path("plain/model.safetensors"));
  nlohmann::json json = nlohmann::json::parse(*ReadFile(hf + "/config.json", 1 << 20));
  json.erase("quantization_config");
  std::ofstream(folder_.Path("plain/config.json")) << json.dump();
  const auto opened = Checkpoint::Open(folder_.Path("plain"));
  ASSERT_TRUE(opened) << Describe(opened.error());
  for (std::size_t l = 0; l < config.layers; ++l) {
    for (std::size_t e = 0; e < config.experts; ++e) {
      const ExpertWeights& a = (*packed)->weights().layers[l].experts[e];
      const ExpertWeights& b = (*opened)->weights().layers[l].experts[e];
      EXPECT_EQ(b.gate.type, WeightType::kF32);
      ExpectEqual(a.gate, b.gate);
      ExpectEqual(a.up, b.up);
      ExpectEqual(a.down, b.down);
    }
  }
}

}  // namespace
}  // namespace safeguard::engine
