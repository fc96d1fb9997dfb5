#include "engine/encoder/tiny_model.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <vector>

#include "base/check.h"

namespace safeguard::engine {
namespace {

// To binary16 for normal numbers below 65504; smaller ones become zero.
std::uint16_t ToF16(float x) {
  if (std::fabs(x) < 0x1p-14F) {
    return 0;
  }
  int exponent = 0;
  const float fraction = std::frexp(std::fabs(x), &exponent);
  const auto bits = static_cast<std::uint32_t>(std::lround(fraction * 2048.0F));
  const std::uint32_t half = (static_cast<std::uint32_t>(exponent + 14) << 10) + bits - 1024U;
  return static_cast<std::uint16_t>(half | (x < 0 ? 0x8000U : 0U));
}

void Append(std::string& to, Dtype dtype, float x) {
  char bytes[4];
  if (dtype == Dtype::kF32) {
    std::memcpy(bytes, &x, 4);
    to.append(bytes, 4);
    return;
  }
  const std::uint16_t half =
      dtype == Dtype::kF16 ? ToF16(x)
                           : static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(x) >> 16);
  std::memcpy(bytes, &half, 2);
  to.append(bytes, 2);
}

class Writer {
 public:
  explicit Writer(const TinyModel& model, unsigned seed = 11) : model_(model), random_(seed) {}

  void Tensor(const std::string& name, std::size_t rows, std::size_t columns, float mean,
              float deviation) {
    std::normal_distribution<float> numbers(mean, deviation);
    const std::size_t begin = data_.size();
    for (std::size_t i = 0; i < (rows == 0 ? 1 : rows) * columns; ++i) {
      Append(data_, model_.dtype, numbers(random_));
    }
    const std::string shape =
        (rows == 0 ? "" : std::to_string(rows) + ",") + std::to_string(columns);
    header_ += (header_.empty() ? "" : ",") + ("\"" + model_.prefix + name) + R"(":{"dtype":")" +
               ToString(model_.dtype) + R"(","shape":[)" + shape + R"(],"data_offsets":[)" +
               std::to_string(begin) + "," + std::to_string(data_.size()) + "]}";
  }
  void Linear(const std::string& name, std::size_t outputs, std::size_t inputs) {
    Tensor(name + ".weight", outputs, inputs, 0, 1.0F / std::sqrt(static_cast<float>(inputs)));
    Tensor(name + ".bias", 0, outputs, 0, 0.1F);
  }
  void Norm(const std::string& name) {
    Tensor(name + ".weight", 0, model_.hidden, 1, 0.2F);
    Tensor(name + ".bias", 0, model_.hidden, 0, 0.2F);
  }
  void Layers() {
    for (std::size_t i = 0; i < model_.layers; ++i) {
      const std::string layer = "encoder.layer." + std::to_string(i) + ".";
      for (const char* part : {"query", "key", "value"}) {
        Linear(layer + "attention.self." + part, model_.hidden, model_.hidden);
      }
      Linear(layer + "attention.output.dense", model_.hidden, model_.hidden);
      Norm(layer + "attention.output.LayerNorm");
      Linear(layer + "intermediate.dense", model_.intermediate, model_.hidden);
      Linear(layer + "output.dense", model_.hidden, model_.intermediate);
      Norm(layer + "output.LayerNorm");
    }
  }
  [[nodiscard]] std::string File() const {
    const std::string header = "{" + header_ + "}";
    std::string file;
    for (int i = 0; i < 8; ++i) {
      file += static_cast<char>(header.size() >> (8 * i));
    }
    return file + header + data_;
  }

 private:
  const TinyModel& model_;
  std::mt19937 random_;
  std::string header_;
  std::string data_;
};

}  // namespace

TemporaryFolder::TemporaryFolder() {
  path_ = (std::filesystem::temp_directory_path() / "safeguard_encoder_XXXXXX").string();
  CHECK(::mkdtemp(path_.data()) != nullptr);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void WriteText(const std::string& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  CHECK(file.good());
}

void WriteTinyModel(const TinyModel& model, const std::string& folder) {
  WriteText(folder + "/config.json",
            R"({"model_type":"bert","hidden_act":"gelu","layer_norm_eps":1e-12,"hidden_size":)" +
                std::to_string(model.hidden) + R"(,"num_attention_heads":)" +
                std::to_string(model.heads) + R"(,"num_hidden_layers":)" +
                std::to_string(model.layers) + R"(,"intermediate_size":)" +
                std::to_string(model.intermediate) + R"(,"vocab_size":)" +
                std::to_string(model.vocabulary) + R"(,"max_position_embeddings":)" +
                std::to_string(model.positions) + "}");
  Writer writer(model);
  writer.Tensor("embeddings.word_embeddings.weight", model.vocabulary, model.hidden, 0, 1);
  writer.Tensor("embeddings.position_embeddings.weight", model.positions, model.hidden, 0, 0.3F);
  writer.Tensor("embeddings.token_type_embeddings.weight", 2, model.hidden, 0, 0.3F);
  writer.Norm("embeddings.LayerNorm");
  writer.Layers();
  WriteText(folder + "/model.safetensors", writer.File());
}

void WriteTinyPair(const TinyModel& base, const TinyPair& pair, const std::string& folder) {
  WriteText(folder + "/config.json", TinyPairConfig(pair));
  Writer writer(base, 12);
  writer.Layers();
  writer.Linear("classifier", 1, base.hidden);
  WriteText(folder + "/model.safetensors", writer.File());
}

std::string TinyPairConfig(const TinyPair& pair) {
  return R"({"base":"tiny","base_sha256":")" + std::string(64, 'a') + R"(","split_layers":)" +
         std::to_string(pair.split) + R"(,"policy_tokens_max":)" +
         std::to_string(pair.policy_tokens) + R"(,"content_tokens_max":)" +
         std::to_string(pair.content_tokens) +
         R"(,"threshold":0.5,"logit_scale":1.5,"logit_offset":-0.25})";
}

}  // namespace safeguard::engine
