// What `model logits` and `model generate` share.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "apps/exit_code.h"
#include "apps/output/console.h"
#include "base/result.h"
#include "engine/raw_model.h"

namespace safeguard::apps {

struct OpenedModel {
  std::unique_ptr<engine::RawModel> model;
  std::vector<std::uint32_t> ids;
};

// How a model is to be run: `precision` is "default", "f32", "int16" or "int8".
struct RunChoice {
  std::string precision;
  bool packed_file;
  std::size_t threads;
};

// The model, and the ids of --ids, valid for it.
Result<OpenedModel> OpenModelWithIds(const std::string& path, const RunChoice& choice,
                                     const std::string& ids);

// Appends all ids in pieces, looking at `stop` between them. The logits of the last `rows`; empty
// when stopped. REQUIRES: 1 <= rows <= ids.size().
Result<std::vector<float>> AppendInPieces(engine::RawModel& model,
                                          const std::vector<std::uint32_t>& ids, std::size_t rows,
                                          const std::atomic<bool>& stop);

struct RankedToken {
  std::uint32_t id;
  float logit;
  double logprob;
};

// The `count` largest of one row, largest first, of equal ones the lowest id first.
// REQUIRES: 1 <= count <= vocabulary.
std::vector<RankedToken> LargestLogits(const float* row, std::size_t vocabulary, std::size_t count);

// kUsage for what the user gave, kCannotRun for the rest.
ExitCode FailureCode(const Error& error);

}  // namespace safeguard::apps
