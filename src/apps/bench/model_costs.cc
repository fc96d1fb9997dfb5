#include "apps/bench/model_costs.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace safeguard::apps {
namespace {

double Setting(const engine::ModelInfo& info, std::string_view key) {
  const auto found = std::ranges::find(info.settings, key, &engine::ModelSetting::key);
  return found == info.settings.end() ? 0 : found->value;
}

bool NamesAnyOf(std::string_view name, std::initializer_list<std::string_view> parts) {
  return std::ranges::any_of(
      parts, [name](std::string_view part) { return name.find(part) != std::string_view::npos; });
}

}  // namespace

double ModelCosts::EvenExperts(double tokens) const {
  return experts * (1 - std::pow(1 - experts_per_token / experts, tokens));
}

double ModelCosts::StepBytes(double read) const {
  return dense_bytes + unembedding_bytes + expert_bytes * read;
}

ModelCosts CostsOf(const engine::ModelInfo& info) {
  ModelCosts costs;
  costs.vocabulary = static_cast<std::size_t>(Setting(info, "vocabulary"));
  costs.layers = Setting(info, "layers");
  costs.experts = Setting(info, "experts");
  costs.experts_per_token = Setting(info, "experts_per_token");
  double all_experts = 0;
  for (const engine::ModelTensor& tensor : info.tensors) {
    const auto bytes = static_cast<double>(tensor.bytes);
    // The names of the Hugging Face, original and GGUF layouts, in this order.
    if (NamesAnyOf(tensor.name, {".mlp.experts.", ".mlp.mlp", "_exps."})) {
      all_experts += bytes;
    } else if (NamesAnyOf(tensor.name, {"unembedding.", "lm_head."}) ||
               tensor.name == "output.weight") {
      costs.unembedding_bytes += bytes;
    } else if (!NamesAnyOf(tensor.name, {"embed_tokens.", "embedding.", "token_embd."})) {
      costs.dense_bytes += bytes;  // of the embedding only a row a token is read
    }
  }
  costs.expert_bytes = all_experts / costs.experts;
  const double hidden = Setting(info, "hidden");
  const double head_dim = Setting(info, "head_dim");
  const double heads = Setting(info, "heads") * head_dim;
  const double attention = hidden * (2 * heads + 2 * Setting(info, "kv_heads") * head_dim);
  const double expert = 3 * hidden * Setting(info, "intermediate");
  costs.macs_per_token =
      costs.layers * (attention + hidden * costs.experts + costs.experts_per_token * expert);
  return costs;
}

}  // namespace safeguard::apps
