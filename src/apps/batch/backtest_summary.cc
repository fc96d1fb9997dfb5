#include "apps/batch/backtest_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

#include "apps/output/display_text.h"
#include "apps/output/table.h"

namespace safeguard::apps {
namespace {

constexpr const char* kNoRule = "(no rule)";

std::string FirstRule(const nlohmann::json& verdict) {
  const auto rules = verdict.find("rule_ids");
  const bool named =
      rules != verdict.end() && rules->is_array() && !rules->empty() && rules->front().is_string();
  return named ? rules->front().get<std::string>() : kNoRule;
}

bool Add(const nlohmann::json& line, BacktestSummary& summary) {
  if (!line.is_object() || !line.contains("outcome") || !line["outcome"].is_string()) {
    return false;
  }
  const auto now = line["outcome"].get<std::string>();
  for (const moderation::Outcome outcome :
       {moderation::Outcome::kViolation, moderation::Outcome::kSafe,
        moderation::Outcome::kUndetermined}) {
    if (now == moderation::ToString(outcome)) {
      summary.now.Count(outcome);
    }
  }
  if (now == "violation") {
    ++summary.rules[FirstRule(line)];
  }
  const auto then = line.find("then");
  if (then == line.end() || !then->is_object()) {
    return true;
  }
  if (!then->contains("outcome") || !(*then)["outcome"].is_string()) {
    return false;
  }
  const auto before = (*then)["outcome"].get<std::string>();
  ++summary.compared;
  ++summary.outcomes_then[before];
  ++summary.outcomes_now[now];
  if (before == now) {
    ++summary.agreed;
  } else {
    ++summary.flips[before + " to " + now];
    ++summary.clauses[now == "violation"      ? FirstRule(line)
                      : before == "violation" ? FirstRule(*then)
                                              : kNoRule];
  }
  return true;
}

std::string Share(std::uint64_t part, std::uint64_t all) {
  return all == 0
             ? "-"
             : fmt::format("{:.2f} %", 100 * static_cast<double>(part) / static_cast<double>(all));
}

std::string CountTable(const char* title, const std::map<std::string, std::uint64_t>& counts,
                       std::uint64_t all, std::size_t width, bool color) {
  if (counts.empty()) {
    return {};
  }
  std::vector<std::pair<std::string, std::uint64_t>> sorted(counts.begin(), counts.end());
  std::ranges::stable_sort(sorted,
                           [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<std::vector<Cell>> rows;
  for (const auto& [name, count] : sorted) {
    rows.push_back({{Printable(name), Style::kBold}, {std::to_string(count)}, {Share(count, all)}});
  }
  return "\n" + RenderTable({{title}, {"CONTENTS", true}, {"SHARE", true}}, rows, width, color);
}

}  // namespace

std::optional<double> BacktestSummary::kappa() const {
  double chance = 0;
  const auto n = static_cast<double>(compared);
  for (const auto& [outcome, count] : outcomes_then) {
    const auto other = outcomes_now.find(outcome);
    chance += other == outcomes_now.end()
                  ? 0
                  : static_cast<double>(count) / n * static_cast<double>(other->second) / n;
  }
  if (compared == 0 || chance >= 1) {
    return std::nullopt;
  }
  return (static_cast<double>(agreed) / n - chance) / (1 - chance);
}

Result<BacktestSummary> SummariseBacktest(const std::string& out) {
  std::ifstream in(out, std::ios::binary);
  if (!in) {
    return Fail(ErrorCode::kNotFound, "cannot read " + out + ": " + std::strerror(errno));
  }
  BacktestSummary summary;
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (!Add(nlohmann::json::parse(line, nullptr, false), summary)) {
      return Fail(ErrorCode::kCorruptFile,
                  out + ", line " + std::to_string(number) + " is no verdict");
    }
  }
  return in.bad() ? Result<BacktestSummary>(Fail(ErrorCode::kUnavailable, "cannot read " + out))
                  : Result<BacktestSummary>(std::move(summary));
}

std::string BacktestText(const BacktestSummary& summary, std::size_t width, bool color) {
  std::string text =
      fmt::format("{} contents: {} violation, {} safe, {} undetermined\n", summary.now.total(),
                  summary.now.violations, summary.now.safe, summary.now.undetermined);
  text += CountTable("VIOLATIONS OF", summary.rules, summary.now.total(), width, color);
  if (summary.compared == 0) {
    return text;
  }
  const std::optional<double> kappa = summary.kappa();
  text += fmt::format("\nCompared with the verdicts given then: {} contents, {} agree{}, {} flip\n",
                      summary.compared, Share(summary.agreed, summary.compared),
                      kappa ? fmt::format(" (kappa {:.3f})", *kappa) : "",
                      summary.compared - summary.agreed);
  text += CountTable("FLIP", summary.flips, summary.compared, width, color);
  return text + CountTable("FLIPS BY CLAUSE", summary.clauses, summary.compared, width, color);
}

nlohmann::ordered_json BacktestJson(const BacktestSummary& summary) {
  nlohmann::ordered_json json = {
      {"contents", summary.now.total()}, {"violations", summary.now.violations},
      {"safe", summary.now.safe},        {"undetermined", summary.now.undetermined},
      {"rules", summary.rules},          {"compared", summary.compared},
      {"agreed", summary.agreed},        {"kappa", nullptr},
      {"flips", summary.flips},          {"clauses", summary.clauses}};
  if (const std::optional<double> kappa = summary.kappa()) {
    json["kappa"] = *kappa;
  }
  return json;
}

}  // namespace safeguard::apps
