#include "engine/synth/shapes.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "engine/model/config_file.h"
#include "engine/model/hugging_face/config_json.h"

namespace safeguard::engine {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kStartOfText = 199'998;
constexpr std::size_t kEndOfText = 199'999;
constexpr std::size_t kReturn = 200'002;
constexpr std::size_t kCall = 200'012;

GptOssConfig Published(std::size_t layers, std::size_t experts) {
  GptOssConfig config;
  config.layers = layers;
  config.experts = experts;
  config.sliding = AlternatingLayers(layers);
  return config;
}

// Every part of the real model in one percent of its size; the vocabulary is whole, so that
// conversations can be rendered for it.
GptOssConfig Tiny() {
  GptOssConfig config = Published(2, 8);
  config.hidden = 64;
  config.intermediate = 64;
  config.heads = 4;
  config.kv_heads = 2;
  return config;
}

}  // namespace

Result<GptOssConfig> ReadShape(const std::string& shape) {
  if (shape == "20b") {
    return Published(24, 32);
  }
  if (shape == "120b") {
    return Published(36, 128);
  }
  if (shape == "tiny") {
    return Tiny();
  }
  const Result<ConfigFile> file = ConfigFile::Open(shape);
  if (!file) {
    if (file.error().code == ErrorCode::kNotFound) {
      return Fail(ErrorCode::kInvalidInput, "there is no shape and no file " + shape,
                  "choose 20b, 120b, tiny, or the path of a config.json");
    }
    return std::unexpected(file.error());
  }
  Result<FolderConfig> config =
      IsOriginalConfig(*file) ? ReadOriginalConfig(*file) : ReadHuggingFaceConfig(*file);
  if (!config) {
    return std::unexpected(std::move(config.error()));
  }
  return std::move(config->model);
}

std::size_t ControlToken(const GptOssConfig& config, std::size_t id) {
  return std::min(id, config.vocabulary - 1);
}

std::string HuggingFaceConfigText(const GptOssConfig& config) {
  Json layer_types = Json::array();
  for (const bool sliding : config.sliding) {
    layer_types.push_back(sliding ? "sliding_attention" : "full_attention");
  }
  const Json json = {
      {"architectures", {"GptOssForCausalLM"}},
      {"attention_bias", true},
      {"attention_dropout", 0.0},
      {"eos_token_id", ControlToken(config, kReturn)},
      {"experts_per_token", config.experts_per_token},
      {"head_dim", config.head_dim},
      {"hidden_act", "silu"},
      {"hidden_size", config.hidden},
      {"initial_context_length", static_cast<std::size_t>(config.rope.original_context)},
      {"initializer_range", 0.02},
      {"intermediate_size", config.intermediate},
      {"layer_types", layer_types},
      {"max_position_embeddings", config.context_max},
      {"model_type", "gpt_oss"},
      {"num_attention_heads", config.heads},
      {"num_experts_per_tok", config.experts_per_token},
      {"num_hidden_layers", config.layers},
      {"num_key_value_heads", config.kv_heads},
      {"num_local_experts", config.experts},
      {"output_router_logits", false},
      {"pad_token_id", ControlToken(config, kEndOfText)},
      {"quantization_config",
       {{"modules_to_not_convert",
         {"model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens",
          "lm_head"}},
        {"quant_method", "mxfp4"}}},
      {"rms_norm_eps", config.rms_epsilon},
      {"rope_scaling",
       {{"beta_fast", config.rope.beta_fast},
        {"beta_slow", config.rope.beta_slow},
        {"factor", config.rope.factor},
        {"original_max_position_embeddings",
         static_cast<std::size_t>(config.rope.original_context)},
        {"rope_type", "yarn"},
        {"truncate", config.rope.truncate}}},
      {"rope_theta", config.rope.theta},
      {"router_aux_loss_coef", 0.9},
      {"sliding_window", config.sliding_window},
      {"swiglu_limit", config.swiglu_limit},
      {"tie_word_embeddings", false},
      {"use_cache", true},
      {"vocab_size", config.vocabulary}};
  return json.dump(2) + "\n";
}

std::string OriginalConfigText(const GptOssConfig& config) {
  const Json json = {
      {"num_hidden_layers", config.layers},
      {"num_experts", config.experts},
      {"experts_per_token", config.experts_per_token},
      {"vocab_size", config.vocabulary},
      {"hidden_size", config.hidden},
      {"intermediate_size", config.intermediate},
      {"swiglu_limit", config.swiglu_limit},
      {"head_dim", config.head_dim},
      {"num_attention_heads", config.heads},
      {"num_key_value_heads", config.kv_heads},
      {"sliding_window", config.sliding_window},
      {"initial_context_length", static_cast<std::size_t>(config.rope.original_context)},
      {"rope_theta", config.rope.theta},
      {"rope_scaling_factor", config.rope.factor},
      {"rope_ntk_alpha", config.rope.beta_slow},
      {"rope_ntk_beta", config.rope.beta_fast}};
  return json.dump(2) + "\n";
}

std::string GenerationConfigText(const GptOssConfig& config) {
  const Json json = {{"bos_token_id", ControlToken(config, kStartOfText)},
                     {"do_sample", true},
                     {"eos_token_id",
                      {ControlToken(config, kReturn), ControlToken(config, kEndOfText),
                       ControlToken(config, kCall)}},
                     {"pad_token_id", ControlToken(config, kEndOfText)}};
  return json.dump(2) + "\n";
}

}  // namespace safeguard::engine
