#include "engine/model/gguf/gguf_weights.h"

#include <string>
#include <vector>

namespace safeguard::engine {
namespace {

constexpr std::size_t kBlock = 32;
constexpr std::size_t kMxfp4Bytes = 17;
constexpr std::size_t kQ8Bytes = 34;

// The rows of all experts, one after another. Empty when a problem was noted.
MatrixView StackedMatrix(TensorFinder& finder, const std::string& name, std::size_t experts,
                         std::size_t rows, std::size_t columns) {
  const StoredTensor* tensor =
      finder.Find(name,
                  {StoredType::kMxfp4, StoredType::kMxfp4Adjacent, StoredType::kQ8_0,
                   StoredType::kBF16, StoredType::kF16, StoredType::kF32},
                  {experts, rows, columns});
  if (tensor == nullptr) {
    return {};
  }
  const std::size_t blocks = columns / kBlock;
  MatrixView matrix{
      WeightTypeOf(tensor->type), experts * rows, columns, tensor->bytes.data(), 0, {}};
  switch (matrix.type) {
    case WeightType::kMxfp4:
      matrix.data = nullptr;
      matrix.mxfp4 = {
          tensor->bytes.data() + 1,
          tensor->bytes.data(),
          kMxfp4Bytes,
          kMxfp4Bytes,
          blocks * kMxfp4Bytes,
          blocks * kMxfp4Bytes,
          tensor->type == StoredType::kMxfp4 ? NibbleOrder::kHalves : NibbleOrder::kAdjacent};
      break;
    case WeightType::kQ8_0:
      matrix.row_stride = blocks * kQ8Bytes;
      break;
    case WeightType::kF32:
      matrix.row_stride = columns * 4;
      break;
    case WeightType::kF16:
    case WeightType::kBF16:
      matrix.row_stride = columns * 2;
      break;
  }
  return matrix;
}

VectorView StackedVector(TensorFinder& finder, const std::string& name, std::size_t experts,
                         std::size_t size) {
  const StoredTensor* tensor =
      finder.Find(name, {StoredType::kF32, StoredType::kBF16, StoredType::kF16}, {experts, size});
  if (tensor == nullptr) {
    return {};
  }
  const WeightType type = WeightTypeOf(tensor->type);
  return {type, experts * size, tensor->bytes.data(), type == WeightType::kF32 ? 4U : 2U};
}

struct Stacked {
  MatrixView matrix;  // the rows of expert 0, of expert 1, ...
  VectorView bias;
};

Stacked StackedLinear(TensorFinder& finder, const std::string& name, const GptOssConfig& config,
                      std::size_t rows, std::size_t columns) {
  return {StackedMatrix(finder, name + ".weight", config.experts, rows, columns),
          StackedVector(finder, name + ".bias", config.experts, rows)};
}

std::vector<ExpertWeights> Experts(const GptOssConfig& config, const std::string& prefix,
                                   TensorFinder& finder) {
  const std::size_t inner = config.intermediate;
  const std::size_t before = finder.problems();
  const bool fused = finder.Has(prefix + "ffn_gate_up_exps.weight");
  Stacked both;
  Stacked gate;
  Stacked up;
  if (fused) {
    both = StackedLinear(finder, prefix + "ffn_gate_up_exps", config, 2 * inner, config.hidden);
  } else {
    gate = StackedLinear(finder, prefix + "ffn_gate_exps", config, inner, config.hidden);
    up = StackedLinear(finder, prefix + "ffn_up_exps", config, inner, config.hidden);
  }
  const Stacked down =
      StackedLinear(finder, prefix + "ffn_down_exps", config, config.hidden, inner);
  std::vector<ExpertWeights> experts;
  if (finder.problems() != before) {
    return experts;
  }
  for (std::size_t e = 0; e < config.experts; ++e) {
    ExpertWeights expert;
    if (fused) {
      const MatrixView rows = RowsOf(both.matrix, e * 2 * inner, 2 * inner);
      const VectorView bias = PartOf(both.bias, e * 2 * inner, 2 * inner);
      expert.gate = EverySecondRow(rows, 0);
      expert.up = EverySecondRow(rows, 1);
      expert.gate_bias = EverySecond(bias, 0);
      expert.up_bias = EverySecond(bias, 1);
    } else {
      expert.gate = RowsOf(gate.matrix, e * inner, inner);
      expert.up = RowsOf(up.matrix, e * inner, inner);
      expert.gate_bias = PartOf(gate.bias, e * inner, inner);
      expert.up_bias = PartOf(up.bias, e * inner, inner);
    }
    expert.down = RowsOf(down.matrix, e * config.hidden, config.hidden);
    expert.down_bias = PartOf(down.bias, e * config.hidden, config.hidden);
    experts.push_back(expert);
  }
  return experts;
}

void Attention(const GptOssConfig& config, const std::string& prefix, TensorFinder& finder,
               LayerWeights& layer) {
  const std::size_t query = config.heads * config.head_dim;
  const std::size_t key = config.kv_heads * config.head_dim;
  if (finder.Has(prefix + "attn_qkv.weight")) {
    const std::size_t rows = query + 2 * key;
    const MatrixView fused = finder.Matrix(prefix + "attn_qkv.weight", rows, config.hidden);
    const VectorView bias = finder.Vector(prefix + "attn_qkv.bias", rows);
    layer.query = RowsOf(fused, 0, query);
    layer.key = RowsOf(fused, query, key);
    layer.value = RowsOf(fused, query + key, key);
    layer.query_bias = PartOf(bias, 0, query);
    layer.key_bias = PartOf(bias, query, key);
    layer.value_bias = PartOf(bias, query + key, key);
  } else {
    layer.query = finder.Matrix(prefix + "attn_q.weight", query, config.hidden);
    layer.key = finder.Matrix(prefix + "attn_k.weight", key, config.hidden);
    layer.value = finder.Matrix(prefix + "attn_v.weight", key, config.hidden);
    layer.query_bias = finder.Vector(prefix + "attn_q.bias", query);
    layer.key_bias = finder.Vector(prefix + "attn_k.bias", key);
    layer.value_bias = finder.Vector(prefix + "attn_v.bias", key);
  }
  layer.sinks = finder.Vector(
      finder.FirstThere({prefix + "attn_sinks.weight", prefix + "attn_sinks"}), config.heads);
  layer.output =
      finder.Matrix(finder.FirstThere({prefix + "attn_output.weight", prefix + "attn_out.weight"}),
                    config.hidden, query);
  layer.output_bias = finder.Vector(
      finder.FirstThere({prefix + "attn_output.bias", prefix + "attn_out.bias"}), config.hidden);
}

LayerWeights Layer(const GptOssConfig& config, const std::string& prefix, TensorFinder& finder) {
  LayerWeights layer;
  layer.attention_norm = finder.Vector(prefix + "attn_norm.weight", config.hidden);
  Attention(config, prefix, finder, layer);
  layer.expert_norm = finder.Vector(
      finder.FirstThere({prefix + "post_attention_norm.weight", prefix + "ffn_norm.weight"}),
      config.hidden);
  layer.router = finder.Matrix(prefix + "ffn_gate_inp.weight", config.experts, config.hidden);
  layer.router_bias = finder.Vector(prefix + "ffn_gate_inp.bias", config.experts);
  layer.experts = Experts(config, prefix, finder);
  return layer;
}

}  // namespace

GptOssWeights GgufWeights(const GptOssConfig& config, TensorFinder& finder) {
  GptOssWeights weights;
  weights.embedding = finder.Matrix("token_embd.weight", config.vocabulary, config.hidden);
  for (std::size_t i = 0; i < config.layers; ++i) {
    weights.layers.push_back(Layer(config, "blk." + std::to_string(i) + ".", finder));
  }
  weights.final_norm = finder.Vector("output_norm.weight", config.hidden);
  weights.unembedding = finder.Matrix("output.weight", config.vocabulary, config.hidden);
  return weights;
}

}  // namespace safeguard::engine
