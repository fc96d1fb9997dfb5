// What a token costs by the model's shape: the floor that a measured speed is held against.
#pragma once

#include <cstddef>

#include "engine/model_files.h"

namespace safeguard::apps {

struct ModelCosts {
  std::size_t vocabulary = 0;
  double layers = 0;
  double experts = 0;
  double experts_per_token = 0;
  double expert_bytes = 0;  // of one expert in all layers together
  double dense_bytes = 0;   // read for any token: attention, norms, routers
  double unembedding_bytes = 0;
  double macs_per_token = 0;  // multiply-adds without attention's own and the unembedding

  // Experts of a layer that a step over `tokens` different tokens reads, when every token draws its
  // experts evenly.
  [[nodiscard]] double EvenExperts(double tokens) const;
  // Bytes of weights that a step reads at least which goes to `read` experts a layer, each of them
  // once; the unembedding included.
  [[nodiscard]] double StepBytes(double read) const;
};

ModelCosts CostsOf(const engine::ModelInfo& info);

}  // namespace safeguard::apps
