#include "engine/model/hugging_face/folder_weights.h"

#include <string>

#include "engine/model/hugging_face/experts.h"

namespace safeguard::engine {
namespace {

std::vector<ExpertWeights> HuggingFaceExperts(const FolderConfig& config, const std::string& prefix,
                                              TensorFinder& finder, OwnedBytes& owned) {
  const GptOssConfig& model = config.model;
  const std::size_t both = 2 * model.intermediate;
  const std::string gate_up = prefix + "gate_up_proj";
  const std::string down = prefix + "down_proj";
  // The tensors' own names decide where the config's word and they differ.
  const bool packed = finder.Has(gate_up + "_blocks") ||
                      (config.experts == ExpertStorage::kMxfp4 && !finder.Has(gate_up));
  ExpertMatrices gate_ups;
  ExpertMatrices downs;
  if (packed) {
    gate_ups = Mxfp4Experts(finder, gate_up + "_blocks", gate_up + "_scales", model.experts, both,
                            model.hidden);
    downs = Mxfp4Experts(finder, down + "_blocks", down + "_scales", model.experts, model.hidden,
                         model.intermediate);
  } else {
    gate_ups = TransposedExperts(finder, gate_up, model.experts, both, model.hidden, owned);
    downs = TransposedExperts(finder, down, model.experts, model.hidden, model.intermediate, owned);
  }
  return InterleavedExperts(model, finder, gate_ups, gate_up + "_bias", downs, down + "_bias");
}

LayerWeights HuggingFaceLayer(const FolderConfig& config, const std::string& prefix,
                              TensorFinder& finder, OwnedBytes& owned) {
  const GptOssConfig& model = config.model;
  const std::size_t query = model.heads * model.head_dim;
  const std::size_t key = model.kv_heads * model.head_dim;
  const std::string attention = prefix + "self_attn.";
  LayerWeights layer;
  layer.attention_norm = finder.Vector(prefix + "input_layernorm.weight", model.hidden);
  layer.query = finder.Matrix(attention + "q_proj.weight", query, model.hidden);
  layer.key = finder.Matrix(attention + "k_proj.weight", key, model.hidden);
  layer.value = finder.Matrix(attention + "v_proj.weight", key, model.hidden);
  layer.query_bias = finder.Vector(attention + "q_proj.bias", query);
  layer.key_bias = finder.Vector(attention + "k_proj.bias", key);
  layer.value_bias = finder.Vector(attention + "v_proj.bias", key);
  layer.sinks = finder.Vector(attention + "sinks", model.heads);
  layer.output = finder.Matrix(attention + "o_proj.weight", model.hidden, query);
  layer.output_bias = finder.Vector(attention + "o_proj.bias", model.hidden);
  layer.expert_norm = finder.Vector(prefix + "post_attention_layernorm.weight", model.hidden);
  layer.router = finder.Matrix(prefix + "mlp.router.weight", model.experts, model.hidden);
  layer.router_bias = finder.Vector(prefix + "mlp.router.bias", model.experts);
  layer.experts = HuggingFaceExperts(config, prefix + "mlp.experts.", finder, owned);
  return layer;
}

std::vector<ExpertWeights> OriginalExperts(const GptOssConfig& model, const std::string& prefix,
                                           TensorFinder& finder) {
  const std::size_t both = 2 * model.intermediate;
  const std::string first = prefix + "mlp1_weight";
  const std::string second = prefix + "mlp2_weight";
  ExpertMatrices gate_ups;
  ExpertMatrices downs;
  if (finder.Has(first)) {
    gate_ups = PlainExperts(finder, first, model.experts, both, model.hidden);
    downs = PlainExperts(finder, second, model.experts, model.hidden, model.intermediate);
  } else {
    gate_ups = Mxfp4Experts(finder, first + ".blocks", first + ".scales", model.experts, both,
                            model.hidden);
    downs = Mxfp4Experts(finder, second + ".blocks", second + ".scales", model.experts,
                         model.hidden, model.intermediate);
  }
  return InterleavedExperts(model, finder, gate_ups, prefix + "mlp1_bias", downs,
                            prefix + "mlp2_bias");
}

LayerWeights OriginalLayer(const GptOssConfig& model, const std::string& prefix,
                           TensorFinder& finder) {
  const std::size_t query = model.heads * model.head_dim;
  const std::size_t key = model.kv_heads * model.head_dim;
  LayerWeights layer;
  layer.attention_norm = finder.Vector(prefix + "attn.norm.scale", model.hidden);
  const MatrixView fused = finder.Matrix(prefix + "attn.qkv.weight", query + 2 * key, model.hidden);
  layer.query = RowsOf(fused, 0, query);
  layer.key = RowsOf(fused, query, key);
  layer.value = RowsOf(fused, query + key, key);
  const VectorView biases = finder.Vector(prefix + "attn.qkv.bias", query + 2 * key);
  layer.query_bias = PartOf(biases, 0, query);
  layer.key_bias = PartOf(biases, query, key);
  layer.value_bias = PartOf(biases, query + key, key);
  layer.sinks = finder.Vector(prefix + "attn.sinks", model.heads);
  layer.output = finder.Matrix(prefix + "attn.out.weight", model.hidden, query);
  layer.output_bias = finder.Vector(prefix + "attn.out.bias", model.hidden);
  layer.expert_norm = finder.Vector(prefix + "mlp.norm.scale", model.hidden);
  layer.router = finder.Matrix(prefix + "mlp.gate.weight", model.experts, model.hidden);
  layer.router_bias = finder.Vector(prefix + "mlp.gate.bias", model.experts);
  layer.experts = OriginalExperts(model, prefix + "mlp.", finder);
  return layer;
}

}  // namespace

GptOssWeights HuggingFaceWeights(const FolderConfig& config, TensorFinder& finder,
                                 OwnedBytes& owned) {
  const GptOssConfig& model = config.model;
  GptOssWeights weights;
  weights.embedding = finder.Matrix("model.embed_tokens.weight", model.vocabulary, model.hidden);
  for (std::size_t i = 0; i < model.layers; ++i) {
    weights.layers.push_back(
        HuggingFaceLayer(config, "model.layers." + std::to_string(i) + ".", finder, owned));
  }
  weights.final_norm = finder.Vector("model.norm.weight", model.hidden);
  const bool own = !config.tied || finder.Has("lm_head.weight");
  weights.unembedding =
      own ? finder.Matrix("lm_head.weight", model.vocabulary, model.hidden) : weights.embedding;
  return weights;
}

GptOssWeights OriginalWeights(const FolderConfig& config, TensorFinder& finder) {
  const GptOssConfig& model = config.model;
  GptOssWeights weights;
  weights.embedding = finder.Matrix("embedding.weight", model.vocabulary, model.hidden);
  for (std::size_t i = 0; i < model.layers; ++i) {
    weights.layers.push_back(OriginalLayer(model, "block." + std::to_string(i) + ".", finder));
  }
  weights.final_norm = finder.Vector("norm.scale", model.hidden);
  weights.unembedding = finder.Matrix("unembedding.weight", model.vocabulary, model.hidden);
  return weights;
}

}  // namespace safeguard::engine
