// The reasoner as a Judge: gpt-oss-safeguard reads the policy and the content, thinks, and answers.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/language_model.h"
#include "engine/packed_file.h"
#include "judges/open_models.h"
#include "moderation/judge.h"
#include "moderation/policy.h"

namespace safeguard::judges {

struct ReasonerOptions {
  std::string model;      // a checkpoint folder or file
  std::string rank_file;  // for a checkpoint without tokenizer
  std::size_t threads = 1;

  std::string effort = "low";           // low, medium, high
  std::string answer = "policy";        // policy, label, json, rationale (answer_plan.h)
  std::string placement = "developer";  // developer, system, hf-template (engine/harmony.h)
  std::optional<std::string> date;      // "YYYY-MM-DD"; none keeps answers the same every day
  // No reasoning at all: the score is read at the verdict, and nothing is sampled.
  bool instant = false;
  // All policies of a call in one prompt instead of one prompt each.
  bool joint = false;

  std::size_t reasoning_tokens_max = 2048;  // then the analysis is closed and the answer asked for
  std::size_t answer_tokens_max = 512;
  std::optional<std::chrono::milliseconds> time_max;  // of one verdict
  double temperature = 0;                             // 0: greedy
  std::uint64_t seed = 0;
  std::size_t content_bytes_max = std::size_t{1} << 20;
  std::size_t cache_bytes_max = std::size_t{4} << 30;  // of keys and values
  std::size_t parallel_max = 64;                       // verdicts in one batch
  std::string drafts = "auto";                         // off, auto, always (engine/generator.h)
  // default, f32, int16, int8, bf16 (engine/model_precision.h). The answers of two of them differ
  // now and then; verdicts say which it was.
  std::string precision = "default";
  bool interactive = false;  // somebody waits for each verdict: before others' batch requests
  // Policies that were read are kept here and need not be read again by the next start; empty: they
  // are not. What goes wrong there is told to `on_note`, on a thread of the engine.
  std::string prefix_folder;
  std::function<void(const std::string&)> on_note;
  engine::PackedFileOptions packed_file;  // its notes go to `on_note`
};

// Opens the model. Unknown words in the options: kInvalidInput that names the choices.
Result<std::unique_ptr<moderation::Judge>> OpenReasonerJudge(const ReasonerOptions& options);

// The same, and the model it runs on, for whoever uses the checkpoint for something else too. Both
// keep the model alive. With `open` a model of the same checkpoint, precision, threads and drafts
// that somebody has open is shared, as it was opened.
struct ReasonerAndModel {
  std::unique_ptr<moderation::Judge> judge;
  std::shared_ptr<engine::LanguageModel> model;
};
Result<ReasonerAndModel> OpenReasonerAndModel(const ReasonerOptions& options,
                                              OpenModels* open = nullptr);

// Several at once, in order, sharing models as above.
Result<std::vector<std::unique_ptr<moderation::Judge>>> OpenReasonerJudges(
    std::span<const ReasonerOptions> options, OpenModels* open = nullptr);

// What reading a policy ahead of time came to.
struct WarmedPolicy {
  std::string name;        // the policy's id; of a joint prompt all of them
  std::size_t tokens = 0;  // up to the content
  bool was_there = false;  // kept by an earlier run
  double seconds = 0;
};

// Reads `policies` (with options.joint all in one prompt) and leaves what was computed in
// options.prefix_folder, where a judge with the same model, kernels, effort, answer, placement and
// date finds it. kUnavailable when it could not be kept there.
Result<std::vector<WarmedPolicy>> WarmPolicies(const ReasonerOptions& options,
                                               std::span<const moderation::Policy* const> policies);

}  // namespace safeguard::judges
