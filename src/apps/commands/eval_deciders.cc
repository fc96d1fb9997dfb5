#include <fmt/format.h>

#include <algorithm>

#include "apps/commands/eval_figures.h"
#include "apps/output/display_text.h"
#include "apps/output/table.h"
#include "eval/deciders.h"

namespace safeguard::apps {
namespace {

// Over all policies together. The right answer of a record is that of any policy unless each
// answers for its own label: then it is not counted here.
std::vector<eval::Decider> Measure(const Measured& measured) {
  std::vector<eval::Decider> all;
  const bool one = measured.runs.size() == 1 && measured.labels.empty();
  for (const eval::EvaluationRun& run : measured.runs) {
    for (eval::Decider& decider : eval::MeasureDeciders(measured.data.records, run.results)) {
      decider.labelled = one ? decider.labelled : 0;
      decider.right = one ? decider.right : 0;
      const auto same = std::ranges::find(all, decider.name, &eval::Decider::name);
      if (same == all.end()) {
        all.push_back(std::move(decider));
        continue;
      }
      same->verdicts += decider.verdicts;
      same->violations += decider.violations;
      same->safe += decider.safe;
      same->tokens += decider.tokens;
      same->ms += decider.ms;
    }
  }
  const bool layered = std::ranges::any_of(measured.runs, [](const eval::EvaluationRun& run) {
    return std::ranges::any_of(run.results, [](const eval::CaseResult& result) {
      return result.verdict.decided_by.settings.contains("reasoner") ||
             result.verdict.decided_by.layer == "list";
    });
  });
  if (!layered) {
    all.clear();
  }
  return all;
}

double Each(double total, std::size_t count) {
  return count == 0 ? 0 : total / static_cast<double>(count);
}

}  // namespace

std::string DecidersText(const Measured& measured, std::size_t columns) {
  const std::vector<eval::Decider> deciders = Measure(measured);
  if (deciders.empty()) {
    return "";
  }
  std::size_t total = 0;
  for (const eval::Decider& decider : deciders) {
    total += decider.verdicts;
  }
  std::vector<std::vector<Cell>> rows;
  for (const eval::Decider& decider : deciders) {
    rows.push_back(
        {{Printable(decider.name), Style::kBold},
         {std::to_string(decider.verdicts)},
         {fmt::format("{:.1f} %", 100 * Each(static_cast<double>(decider.verdicts), total))},
         {std::to_string(decider.violations)},
         {std::to_string(decider.safe)},
         {decider.labelled == 0
              ? "-"
              : fmt::format("{:.3f}", Each(static_cast<double>(decider.right), decider.labelled))},
         {fmt::format("{:.1f}", Each(decider.tokens, decider.verdicts))},
         {fmt::format("{:.1f}", Each(decider.ms, decider.verdicts))}});
  }
  return "\n" + RenderTable({{"DECIDED BY", false, true},
                             {"VERDICTS", true},
                             {"SHARE", true},
                             {"VIOLATION", true},
                             {"SAFE", true},
                             {"RIGHT", true},
                             {"TOKENS", true},
                             {"MS", true}},
                            rows, columns, false);
}

Json DecidersJson(const Measured& measured) {
  const std::vector<eval::Decider> deciders = Measure(measured);
  if (deciders.empty()) {
    return nullptr;
  }
  Json list = Json::array();
  for (const eval::Decider& decider : deciders) {
    list.push_back({{"name", decider.name},
                    {"verdicts", decider.verdicts},
                    {"violations", decider.violations},
                    {"safe", decider.safe},
                    {"labelled", decider.labelled},
                    {"right", decider.right},
                    {"tokens_each", Each(decider.tokens, decider.verdicts)},
                    {"ms_each", Each(decider.ms, decider.verdicts)}});
  }
  return list;
}

}  // namespace safeguard::apps
