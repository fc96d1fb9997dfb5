#include "engine/cpu/random_model.h"

#include <cmath>
#include <cstring>

namespace safeguard::engine::cpu {

std::byte* RandomWeights::Bytes(std::size_t count) {
  storage_.push_back(std::make_unique<std::byte[]>(count + 1));
  std::byte* bytes = storage_.back().get() + 1;
  for (std::size_t i = 0; i < count; ++i) {
    bytes[i] = static_cast<std::byte>(random_());
  }
  return bytes;
}

MatrixView RandomWeights::Matrix(WeightType type, NibbleOrder order, std::size_t rows,
                                 std::size_t columns) {
  MatrixView view;
  view.type = type;
  view.rows = rows;
  view.columns = columns;
  const int shift = static_cast<int>(std::lround(std::log2(static_cast<double>(columns)) / 2));
  if (type == WeightType::kMxfp4) {
    const std::size_t blocks = columns / 32;
    view.mxfp4 = {Bytes(rows * blocks * 16), nullptr, 16, 1, blocks * 16, blocks, order};
    std::byte* scales = Bytes(rows * blocks);
    for (std::size_t i = 0; i < rows * blocks; ++i) {
      scales[i] = static_cast<std::byte>(124 - shift + static_cast<int>(random_() % 3));
    }
    view.mxfp4.scales = scales;
    return view;
  }
  if (type == WeightType::kQ8_0) {
    view.row_stride = columns / 32 * 34;
    std::byte* bytes = Bytes(rows * view.row_stride);
    for (std::size_t i = 0; i < rows * view.row_stride; i += 34) {  // the exponent of the scale
      bytes[i + 1] = static_cast<std::byte>((15 - 6 - shift) << 2);
    }
    view.data = bytes;
    return view;
  }
  const std::size_t size = type == WeightType::kF32 ? 4 : 2;
  view.row_stride = columns * size + 3;
  std::byte* bytes = Bytes(rows * view.row_stride);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) {
      std::byte* at = bytes + r * view.row_stride + c * size;
      const auto sign = static_cast<std::uint32_t>(random_() & 1U);
      const auto fraction = static_cast<std::uint32_t>(random_() & 0x7FFFFFU);
      const auto exponent = static_cast<std::uint32_t>(-shift);
      const std::uint32_t wide = sign << 31 | (127U + exponent) << 23 | fraction;
      const std::uint32_t half = sign << 15 | (15U + exponent) << 10 | fraction >> 13;
      const std::uint32_t bits = type == WeightType::kF32    ? wide
                                 : type == WeightType::kBF16 ? wide >> 16
                                                             : half;
      std::memcpy(at, &bits, size);
    }
  }
  view.data = bytes;
  return view;
}

VectorView RandomWeights::Vector(std::size_t size, float mean, float deviation) {
  std::byte* bytes = Bytes(size * 4);
  std::normal_distribution<float> normal(mean, deviation);
  for (std::size_t i = 0; i < size; ++i) {
    const float value = normal(random_);
    std::memcpy(bytes + 4 * i, &value, 4);
  }
  return {WeightType::kF32, size, bytes, 4};
}

RandomModel NewRandomModel(GptOssConfig config, WeightType dense, NibbleOrder order,
                           unsigned seed) {
  if (config.sliding.empty()) {
    config.sliding = AlternatingLayers(config.layers);
  }
  RandomModel model{config, {}, std::make_unique<RandomWeights>(seed)};
  RandomWeights& random = *model.storage;
  const auto matrix = [&](std::size_t rows, std::size_t columns) {
    // Q8_0 has whole blocks only.
    const bool odd = dense == WeightType::kQ8_0 && columns % 32 != 0;
    return random.Matrix(odd ? WeightType::kBF16 : dense, order, rows, columns);
  };
  const std::size_t width = config.heads * config.head_dim;
  const std::size_t kv_width = config.kv_heads * config.head_dim;
  model.weights.embedding = matrix(config.vocabulary, config.hidden);
  model.weights.unembedding = matrix(config.vocabulary, config.hidden);
  model.weights.final_norm = random.Vector(config.hidden, 1, 0.1F);
  for (std::size_t l = 0; l < config.layers; ++l) {
    LayerWeights layer;
    layer.attention_norm = random.Vector(config.hidden, 1, 0.1F);
    layer.query = matrix(width, config.hidden);
    layer.key = matrix(kv_width, config.hidden);
    layer.value = matrix(kv_width, config.hidden);
    layer.query_bias = random.Vector(width, 0, 0.5F);
    layer.key_bias = random.Vector(kv_width, 0, 0.5F);
    layer.value_bias = random.Vector(kv_width, 0, 0.5F);
    layer.sinks = random.Vector(config.heads, 0, 1);
    layer.output = matrix(config.hidden, width);
    layer.output_bias = random.Vector(config.hidden, 0, 0.1F);
    layer.expert_norm = random.Vector(config.hidden, 1, 0.1F);
    layer.router = matrix(config.experts, config.hidden);
    layer.router_bias = random.Vector(config.experts, 0, 0.1F);
    for (std::size_t e = 0; e < config.experts; ++e) {
      const auto expert = [&](std::size_t rows, std::size_t columns) {
        return random.Matrix(WeightType::kMxfp4, order, rows, columns);
      };
      layer.experts.push_back(
          {expert(config.intermediate, config.hidden), expert(config.intermediate, config.hidden),
           expert(config.hidden, config.intermediate), random.Vector(config.intermediate, 0, 0.1F),
           random.Vector(config.intermediate, 0, 0.1F), random.Vector(config.hidden, 0, 0.1F)});
    }
    model.weights.layers.push_back(std::move(layer));
  }
  return model;
}

GptOssConfig SmallConfig() {
  GptOssConfig config;
  config.layers = 3;
  config.hidden = 64;
  config.intermediate = 96;
  config.heads = 6;
  config.kv_heads = 2;
  config.head_dim = 16;
  config.experts = 8;
  config.experts_per_token = 4;
  config.vocabulary = 101;
  config.context_max = 4096;
  config.sliding_window = 40;
  return config;
}

bool WorthTesting(const KernelTable& table) {
  return table.supported() && (!kThreadSanitizer || &table != &kReferenceKernels);
}

std::vector<std::uint32_t> RandomTokens(std::size_t count, std::size_t vocabulary, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::uint32_t> tokens(count);
  for (std::uint32_t& token : tokens) {
    token = static_cast<std::uint32_t>(random() % vocabulary);
  }
  return tokens;
}

}  // namespace safeguard::engine::cpu
