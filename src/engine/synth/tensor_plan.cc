#include "engine/synth/tensor_plan.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace safeguard::engine {
namespace {

constexpr std::uint64_t kBlock = 32;
constexpr float kBiasDeviation = 0.05F;
constexpr float kSinkDeviation = 0.5F;
constexpr float kNormDeviation = 0.1F;
// Logits of deviation 3 make the first of 200,000 tokens stand out as in a trained model.
constexpr float kLogitDeviation = 3;
constexpr double kCodeDeviation = 2.926;  // of evenly drawn E2M1 codes
constexpr double kScaleDeviation = 1.25;  // of a half, one, one and two

float FanIn(std::uint64_t columns) {
  return 1.0F / std::sqrt(static_cast<float>(columns));
}

std::uint8_t MiddleScale(std::uint64_t columns) {
  const double wanted = FanIn(columns) / kCodeDeviation / kScaleDeviation;
  return static_cast<std::uint8_t>(127 + std::lround(std::log2(wanted)));
}

// The numbers, under their Hugging Face names.
class Numbers {
 public:
  Numbers(const GptOssConfig& config, std::uint64_t seed) : config_(config), seed_(seed) {}

  [[nodiscard]] RowSource Dense(const std::string& name, std::uint64_t rows, std::uint64_t columns,
                                float mean, float deviation) const {
    RowSource source;
    source.noise = Noise(seed_, name);
    source.rows = rows;
    source.columns = columns;
    source.mean = mean;
    source.deviation = deviation;
    return source;
  }
  [[nodiscard]] RowSource Matrix(const std::string& name, std::uint64_t rows,
                                 std::uint64_t columns) const {
    return Dense(name, rows, columns, 0, FanIn(columns));
  }
  [[nodiscard]] RowSource Norm(const std::string& name) const {
    return Dense(name, 1, config_.hidden, 1, kNormDeviation);
  }
  [[nodiscard]] RowSource Bias(const std::string& name, std::uint64_t size) const {
    return Dense(name, size, 1, 0, kBiasDeviation);
  }
  [[nodiscard]] RowSource Sinks(const std::string& name) const {
    return Dense(name, 1, config_.heads, 0, kSinkDeviation);
  }
  [[nodiscard]] RowSource Embedding() const {
    return Dense("model.embed_tokens.weight", config_.vocabulary, config_.hidden, 0, 1);
  }
  [[nodiscard]] RowSource Unembedding() const {
    return Dense("lm_head.weight", config_.vocabulary, config_.hidden, 0,
                 kLogitDeviation * FanIn(config_.hidden));
  }
  [[nodiscard]] RowSource Experts(const std::string& name, SourceType type, std::uint64_t rows,
                                  std::uint64_t columns) const {
    RowSource source;
    source.type = type;
    source.noise = Noise(seed_, name);
    source.rows = config_.experts * rows;
    source.columns = columns;
    source.scale = MiddleScale(columns);
    return source;
  }

 private:
  const GptOssConfig& config_;
  std::uint64_t seed_;
};

struct Sizes {
  explicit Sizes(const GptOssConfig& config)
      : hidden(config.hidden),
        inner(config.intermediate),
        experts(config.experts),
        query(config.heads * config.head_dim),
        key(config.kv_heads * config.head_dim),
        heads(config.heads) {}
  std::uint64_t hidden, inner, experts, query, key, heads;
};

struct MatrixShape {
  std::uint64_t rows;
  std::uint64_t columns;
};

void AddPacked(const Numbers& numbers, const Sizes& n, const std::string& stream,
               const std::string& blocks, const std::string& scales, MatrixShape shape,
               std::vector<PlannedTensor>& plan) {
  const auto [rows, columns] = shape;
  plan.push_back({blocks,
                  {n.experts, rows, columns / kBlock, 16},
                  {numbers.Experts(stream, SourceType::kMxfp4Codes, rows, columns)}});
  plan.push_back({scales,
                  {n.experts, rows, columns / kBlock},
                  {numbers.Experts(stream, SourceType::kMxfp4Scales, rows, columns)}});
}

void AddHuggingFaceLayer(const Numbers& numbers, const Sizes& n, const std::string& layer,
                         std::vector<PlannedTensor>& plan) {
  const auto matrix = [&](const std::string& name, std::uint64_t rows, std::uint64_t columns) {
    plan.push_back({layer + name + ".weight",
                    {rows, columns},
                    {numbers.Matrix(layer + name + ".weight", rows, columns)}});
    plan.push_back({layer + name + ".bias", {rows}, {numbers.Bias(layer + name + ".bias", rows)}});
  };
  const auto norm = [&](const std::string& name) {
    plan.push_back({layer + name, {n.hidden}, {numbers.Norm(layer + name)}});
  };
  norm("input_layernorm.weight");
  matrix("self_attn.q_proj", n.query, n.hidden);
  matrix("self_attn.k_proj", n.key, n.hidden);
  matrix("self_attn.v_proj", n.key, n.hidden);
  matrix("self_attn.o_proj", n.hidden, n.query);
  plan.push_back(
      {layer + "self_attn.sinks", {n.heads}, {numbers.Sinks(layer + "self_attn.sinks")}});
  norm("post_attention_layernorm.weight");
  matrix("mlp.router", n.experts, n.hidden);
  const std::string gate_up = layer + "mlp.experts.gate_up_proj";
  const std::string down = layer + "mlp.experts.down_proj";
  AddPacked(numbers, n, gate_up, gate_up + "_blocks", gate_up + "_scales", {2 * n.inner, n.hidden},
            plan);
  plan.push_back({gate_up + "_bias",
                  {n.experts, 2 * n.inner},
                  {numbers.Bias(gate_up + "_bias", n.experts * 2 * n.inner)}});
  AddPacked(numbers, n, down, down + "_blocks", down + "_scales", {n.hidden, n.inner}, plan);
  plan.push_back({down + "_bias",
                  {n.experts, n.hidden},
                  {numbers.Bias(down + "_bias", n.experts * n.hidden)}});
}

void AddOriginalLayer(const Numbers& numbers, const Sizes& n, const std::string& stream,
                      const std::string& layer, std::vector<PlannedTensor>& plan) {
  const std::string attention = stream + "self_attn.";
  plan.push_back(
      {layer + "attn.norm.scale", {n.hidden}, {numbers.Norm(stream + "input_layernorm.weight")}});
  plan.push_back({layer + "attn.qkv.weight",
                  {n.query + 2 * n.key, n.hidden},
                  {numbers.Matrix(attention + "q_proj.weight", n.query, n.hidden),
                   numbers.Matrix(attention + "k_proj.weight", n.key, n.hidden),
                   numbers.Matrix(attention + "v_proj.weight", n.key, n.hidden)}});
  plan.push_back({layer + "attn.qkv.bias",
                  {n.query + 2 * n.key},
                  {numbers.Bias(attention + "q_proj.bias", n.query),
                   numbers.Bias(attention + "k_proj.bias", n.key),
                   numbers.Bias(attention + "v_proj.bias", n.key)}});
  plan.push_back({layer + "attn.sinks", {n.heads}, {numbers.Sinks(attention + "sinks")}});
  plan.push_back({layer + "attn.out.weight",
                  {n.hidden, n.query},
                  {numbers.Matrix(attention + "o_proj.weight", n.hidden, n.query)}});
  plan.push_back(
      {layer + "attn.out.bias", {n.hidden}, {numbers.Bias(attention + "o_proj.bias", n.hidden)}});
  plan.push_back({layer + "mlp.norm.scale",
                  {n.hidden},
                  {numbers.Norm(stream + "post_attention_layernorm.weight")}});
  plan.push_back({layer + "mlp.gate.weight",
                  {n.experts, n.hidden},
                  {numbers.Matrix(stream + "mlp.router.weight", n.experts, n.hidden)}});
  plan.push_back({layer + "mlp.gate.bias",
                  {n.experts},
                  {numbers.Bias(stream + "mlp.router.bias", n.experts)}});
  const std::string experts = stream + "mlp.experts.";
  AddPacked(numbers, n, experts + "gate_up_proj", layer + "mlp.mlp1_weight.blocks",
            layer + "mlp.mlp1_weight.scales", {2 * n.inner, n.hidden}, plan);
  plan.push_back({layer + "mlp.mlp1_bias",
                  {n.experts, 2 * n.inner},
                  {numbers.Bias(experts + "gate_up_proj_bias", n.experts * 2 * n.inner)}});
  AddPacked(numbers, n, experts + "down_proj", layer + "mlp.mlp2_weight.blocks",
            layer + "mlp.mlp2_weight.scales", {n.hidden, n.inner}, plan);
  plan.push_back({layer + "mlp.mlp2_bias",
                  {n.experts, n.hidden},
                  {numbers.Bias(experts + "down_proj_bias", n.experts * n.hidden)}});
}

// The even (first 0) or odd (first 1) rows of each expert.
RowSource Half(RowSource source, std::uint64_t group, std::uint64_t first) {
  source.rows /= 2;
  source.group = group;
  source.stride = 2;
  source.first = first;
  return source;
}

RowSource As(SourceType type, RowSource source) {
  // Rows that are no whole blocks stay as they are published.
  const bool fits = type != SourceType::kQ8_0 || source.columns % kBlock == 0;
  source.type = fits ? type : SourceType::kBF16;
  return source;
}

void AddGgufExperts(const Numbers& numbers, const Sizes& n, const std::string& stream,
                    const std::string& layer, std::vector<PlannedTensor>& plan) {
  const std::string gate_up = stream + "mlp.experts.gate_up_proj";
  const std::string down = stream + "mlp.experts.down_proj";
  for (const std::uint64_t odd : {0U, 1U}) {
    const std::string name = layer + (odd == 0 ? "ffn_gate_exps" : "ffn_up_exps");
    const RowSource rows = numbers.Experts(gate_up, SourceType::kMxfp4Gguf, 2 * n.inner, n.hidden);
    const RowSource bias = numbers.Bias(gate_up + "_bias", n.experts * 2 * n.inner);
    plan.push_back({name + ".weight", {n.experts, n.inner, n.hidden}, {Half(rows, n.inner, odd)}});
    plan.push_back(
        {name + ".bias", {n.experts, n.inner}, {As(SourceType::kF32, Half(bias, n.inner, odd))}});
  }
  plan.push_back({layer + "ffn_down_exps.weight",
                  {n.experts, n.hidden, n.inner},
                  {numbers.Experts(down, SourceType::kMxfp4Gguf, n.hidden, n.inner)}});
  plan.push_back({layer + "ffn_down_exps.bias",
                  {n.experts, n.hidden},
                  {As(SourceType::kF32, numbers.Bias(down + "_bias", n.experts * n.hidden))}});
}

void AddGgufLayer(const Numbers& numbers, const Sizes& n, SourceType dense,
                  const std::string& stream, const std::string& layer,
                  std::vector<PlannedTensor>& plan) {
  const auto matrix = [&](const std::string& name, const std::string& from, std::uint64_t rows,
                          std::uint64_t columns, SourceType type) {
    plan.push_back({layer + name + ".weight",
                    {rows, columns},
                    {As(type, numbers.Matrix(stream + from + ".weight", rows, columns))}});
    plan.push_back({layer + name + ".bias",
                    {rows},
                    {As(SourceType::kF32, numbers.Bias(stream + from + ".bias", rows))}});
  };
  const auto norm = [&](const std::string& name, const std::string& from) {
    plan.push_back({layer + name,
                    {n.hidden},
                    {As(SourceType::kF32, numbers.Norm(stream + from + ".weight"))}});
  };
  norm("attn_norm.weight", "input_layernorm");
  matrix("attn_q", "self_attn.q_proj", n.query, n.hidden, dense);
  matrix("attn_k", "self_attn.k_proj", n.key, n.hidden, dense);
  matrix("attn_v", "self_attn.v_proj", n.key, n.hidden, dense);
  matrix("attn_output", "self_attn.o_proj", n.hidden, n.query, dense);
  plan.push_back({layer + "attn_sinks.weight",
                  {n.heads},
                  {As(SourceType::kF32, numbers.Sinks(stream + "self_attn.sinks"))}});
  norm("post_attention_norm.weight", "post_attention_layernorm");
  matrix("ffn_gate_inp", "mlp.router", n.experts, n.hidden, SourceType::kF32);
  AddGgufExperts(numbers, n, stream, layer, plan);
}

std::string Stream(std::size_t layer) {
  return "model.layers." + std::to_string(layer) + ".";
}

}  // namespace

std::vector<PlannedTensor> PlanHuggingFace(const GptOssConfig& config, std::uint64_t seed) {
  const Numbers numbers(config, seed);
  const Sizes n(config);
  std::vector<PlannedTensor> plan;
  plan.push_back(
      {"model.embed_tokens.weight", {config.vocabulary, n.hidden}, {numbers.Embedding()}});
  for (std::size_t i = 0; i < config.layers; ++i) {
    AddHuggingFaceLayer(numbers, n, Stream(i), plan);
  }
  plan.push_back({"model.norm.weight", {n.hidden}, {numbers.Norm("model.norm.weight")}});
  plan.push_back({"lm_head.weight", {config.vocabulary, n.hidden}, {numbers.Unembedding()}});
  return plan;
}

std::vector<PlannedTensor> PlanOriginal(const GptOssConfig& config, std::uint64_t seed) {
  const Numbers numbers(config, seed);
  const Sizes n(config);
  std::vector<PlannedTensor> plan;
  plan.push_back({"embedding.weight", {config.vocabulary, n.hidden}, {numbers.Embedding()}});
  for (std::size_t i = 0; i < config.layers; ++i) {
    AddOriginalLayer(numbers, n, Stream(i), "block." + std::to_string(i) + ".", plan);
  }
  plan.push_back({"norm.scale", {n.hidden}, {numbers.Norm("model.norm.weight")}});
  plan.push_back({"unembedding.weight", {config.vocabulary, n.hidden}, {numbers.Unembedding()}});
  return plan;
}

std::vector<PlannedTensor> PlanGguf(const GptOssConfig& config, std::uint64_t seed,
                                    SynthDense dense) {
  const SourceType type = dense == SynthDense::kQ8_0   ? SourceType::kQ8_0
                          : dense == SynthDense::kBF16 ? SourceType::kBF16
                                                       : SourceType::kF16;
  const Numbers numbers(config, seed);
  const Sizes n(config);
  std::vector<PlannedTensor> plan;
  plan.push_back(
      {"token_embd.weight", {config.vocabulary, n.hidden}, {As(type, numbers.Embedding())}});
  for (std::size_t i = 0; i < config.layers; ++i) {
    AddGgufLayer(numbers, n, type, Stream(i), "blk." + std::to_string(i) + ".", plan);
  }
  plan.push_back({"output_norm.weight",
                  {n.hidden},
                  {As(SourceType::kF32, numbers.Norm("model.norm.weight"))}});
  plan.push_back(
      {"output.weight", {config.vocabulary, n.hidden}, {As(type, numbers.Unembedding())}});
  return plan;
}

}  // namespace safeguard::engine
