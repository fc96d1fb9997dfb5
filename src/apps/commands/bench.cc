#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "apps/bench/bench_rows.h"
#include "apps/commands/commands.h"
#include "apps/commands/model_run.h"
#include "apps/input/model_folders.h"
#include "apps/input/packed_files.h"
#include "apps/output/display_text.h"
#include "apps/output/table.h"
#include "apps/output/verdict_json.h"
#include "engine/language_model.h"

namespace safeguard::apps {
namespace {

using Json = nlohmann::ordered_json;

std::string RateText(double rate) {
  return rate >= 100 ? fmt::format("{:.0f}", rate) : fmt::format("{:.2f}", rate);
}

std::string LimitsText(const engine::MachineLimits& machine, std::size_t threads) {
  const auto rate = [](double gmac) { return gmac > 0 ? fmt::format("{:.0f}", gmac) : "none"; };
  return fmt::format(
      "this machine, {} threads: reads {:.1f} GB/s; 10^9 multiply-adds a second: binary32 {}, "
      "bfloat16 {}, bytes {}, bfloat16 by tiles {}\n",
      threads, machine.read_gb_s, rate(machine.f32_gmac_s), rate(machine.bf16_gmac_s),
      rate(machine.int8_gmac_s), rate(machine.amx_bf16_gmac_s));
}

std::string RowsTable(const std::vector<BenchRow>& rows, const ModelCosts& costs, std::size_t width,
                      bool color) {
  const std::vector<Column> columns = {{"WORK"},        {"MEDIAN", true}, {""},
                                       {"LEAST", true}, {"MOST", true},   {"EXPERTS", true},
                                       {"LIMIT", true}, {"SHARE", true}};
  std::vector<std::vector<Cell>> cells;
  for (const BenchRow& row : rows) {
    const auto [least, most] = std::ranges::minmax(row.rates);
    cells.push_back({{row.work},
                     {RateText(row.Median()), Style::kBold},
                     {row.unit},
                     {RateText(least)},
                     {RateText(most)},
                     {row.Experts(costs) > 0 ? fmt::format("{:.1f}", row.Experts(costs)) : ""},
                     {RateText(row.limit)},
                     {fmt::format("{:.0f} %", 100 * row.Median() / row.limit)}});
  }
  return RenderTable(columns, cells, width, color);
}

Json ToJson(const BenchArguments& arguments, const engine::MachineLimits& machine,
            const ModelCosts& costs, const std::vector<BenchRow>& rows) {
  Json results = Json::array();
  for (const BenchRow& row : rows) {
    results.push_back({{"work", row.work},
                       {"unit", row.unit},
                       {"median", row.Median()},
                       {"rates", row.rates},
                       {"experts", row.Experts(costs)},
                       {"limit", row.limit},
                       {"share", row.Median() / row.limit}});
  }
  return {{"tool", "safeguard"},
          {"model", arguments.path},
          {"threads", arguments.threads},
          {"policy_tokens", arguments.policy_tokens},
          {"content_tokens", arguments.content_tokens},
          {"answer_tokens", arguments.answer_tokens},
          {"machine",
           {{"read_gb_s", machine.read_gb_s},
            {"f32_gmac_s", machine.f32_gmac_s},
            {"bf16_gmac_s", machine.bf16_gmac_s},
            {"int8_gmac_s", machine.int8_gmac_s},
            {"amx_bf16_gmac_s", machine.amx_bf16_gmac_s}}},
          {"results", std::move(results)}};
}

Result<std::unique_ptr<engine::LanguageModel>> OpenModel(const BenchArguments& arguments) {
  engine::LanguageModelOptions options;
  options.threads = arguments.threads;
  options.precision =
      engine::ModelPrecisionOf(arguments.precision).value_or(engine::ModelPrecision::kDefault);
  options.packed_file = PackedFiles(arguments.packed_file);
  options.rank_file = FindModelPath(kRankFile, ModelFolders("")).value_or("");
  const std::size_t largest = std::ranges::max(arguments.batch);
  options.generator.sequences_max = std::max({largest, arguments.in_flight, std::size_t{64}});
  options.generator.step_tokens_max =
      std::max(options.generator.step_tokens_max, options.generator.sequences_max);
  return engine::LanguageModel::Open(arguments.path, options);
}

}  // namespace

ExitCode RunBench(const BenchArguments& arguments, Console& console,
                  const std::atomic<bool>& stop) {
  Result<std::vector<BenchRow>> rows = PlanBench(arguments);
  if (!rows) {
    return Fails(console, rows.error(), ExitCode::kUsage);
  }
  const Result<engine::ModelInfo> info = engine::ReadModelInfo(arguments.path);
  if (!info) {
    return Fails(console, info.error(), FailureCode(info.error()));
  }
  auto model = OpenModel(arguments);
  if (!model) {
    return Fails(console, model.error(), FailureCode(model.error()));
  }
  console.Error(engine::Describe((*model)->packed()) + "\n");
  engine::MachineLimits machine = engine::MeasureMachineLimits(arguments.threads);
  BenchShape shape;
  shape.vocabulary = (*model)->vocabulary();
  shape.policy_tokens = arguments.policy_tokens;
  shape.content_tokens = arguments.content_tokens;
  shape.answer_tokens = arguments.answer_tokens;
  for (std::size_t run = 0; run < arguments.runs; ++run) {
    for (BenchRow& row : *rows) {
      const Result<BenchRate> rate =
          MeasureRow((*model)->generator(), shape, row, arguments.answer_tokens, stop);
      if (stop.load()) {
        return ExitCode::kInterrupted;
      }
      if (!rate) {
        return Fails(console, rate.error(), ExitCode::kCannotRun);
      }
      row.rates.push_back(rate->rate);
      row.expert_reads.push_back(rate->expert_reads);
      if (!arguments.json) {
        console.Error(fmt::format("run {} of {}: {} {} {}\n", run + 1, arguments.runs, row.work,
                                  RateText(rate->rate), row.unit));
      }
    }
  }
  machine = engine::Larger(machine, engine::MeasureMachineLimits(arguments.threads));
  const ModelCosts costs = CostsOf(*info);
  SetLimits(*rows, costs, machine, shape);
  if (arguments.json) {
    console.Out(JsonLine(ToJson(arguments, machine, costs, *rows)) + "\n");
    return ExitCode::kSafe;
  }
  console.Out(LimitsText(machine, arguments.threads));
  console.Out(RowsTable(*rows, costs, console.columns(), UseColor(console, ColorMode::kAuto)));
  return ExitCode::kSafe;
}

}  // namespace safeguard::apps
