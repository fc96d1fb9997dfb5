#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "apps/commands/commands.h"
#include "apps/commands/model_run.h"
#include "apps/output/verdict_json.h"

namespace safeguard::apps {
namespace {

// <|return|> and <|call|> of o200k_harmony.
constexpr std::array<std::uint32_t, 2> kStopTokens = {200'002, 200'012};

struct Generated {
  std::vector<std::uint32_t> ids;
  std::vector<double> logprobs;
  std::string end;  // "stop token", "max tokens", "context", "interrupted"
};

// From the logits behind the prompt on.
Result<Generated> Generate(OpenedModel& opened, std::vector<float> logits, std::size_t count_max,
                           const std::atomic<bool>& stop) {
  Generated generated;
  while (true) {
    const RankedToken next = LargestLogits(logits.data(), opened.model->vocabulary(), 1).front();
    generated.ids.push_back(next.id);
    generated.logprobs.push_back(next.logprob);
    if (std::ranges::find(kStopTokens, next.id) != kStopTokens.end()) {
      generated.end = "stop token";
    } else if (generated.ids.size() == count_max) {
      generated.end = "max tokens";
    } else if (opened.ids.size() + generated.ids.size() > opened.model->context_max()) {
      generated.end = "context";
    } else if (stop.load()) {
      generated.end = "interrupted";
    }
    if (!generated.end.empty()) {
      return generated;
    }
    auto step = opened.model->Append({&generated.ids.back(), 1}, 1);
    if (!step) {
      return std::unexpected(std::move(step.error()));
    }
    logits = std::move(*step);
  }
}

double Seconds(std::chrono::steady_clock::time_point from) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count();
}

}  // namespace

ExitCode RunModelGenerate(const ModelGenerateArguments& arguments, Console& console,
                          const std::atomic<bool>& stop) {
  if (!arguments.greedy) {
    return Fails(console,
                 {ErrorCode::kInvalidInput, "model generate takes the likeliest token only",
                  "say so with --greedy"},
                 ExitCode::kUsage);
  }
  Result<OpenedModel> opened = OpenModelWithIds(
      arguments.path, {arguments.precision, arguments.packed_file, arguments.threads},
      arguments.ids);
  if (!opened) {
    return Fails(console, opened.error(), FailureCode(opened.error()));
  }
  const auto begin = std::chrono::steady_clock::now();
  Result<std::vector<float>> logits = AppendInPieces(*opened->model, opened->ids, 1, stop);
  if (!logits) {
    return Fails(console, logits.error(), ExitCode::kCannotRun);
  }
  if (logits->empty()) {
    return ExitCode::kInterrupted;
  }
  const double prompt_seconds = Seconds(begin);
  const auto middle = std::chrono::steady_clock::now();
  const Result<Generated> generated =
      Generate(*opened, std::move(*logits), arguments.max_tokens, stop);
  if (!generated) {
    return Fails(console, generated.error(), ExitCode::kCannotRun);
  }
  if (arguments.json) {
    console.Out(JsonLine({{"prompt_tokens", opened->ids.size()},
                          {"ids", generated->ids},
                          {"logprobs", generated->logprobs},
                          {"end", generated->end},
                          {"weights", engine::Describe(opened->model->packed())},
                          {"prompt_seconds", prompt_seconds},
                          {"generate_seconds", Seconds(middle)}}) +
                "\n");
  } else {
    console.Out(fmt::format("{}\n", fmt::join(generated->ids, ",")));
  }
  return generated->end == "interrupted" ? ExitCode::kInterrupted : ExitCode::kSafe;
}

}  // namespace safeguard::apps
