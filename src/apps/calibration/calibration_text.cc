#include "apps/calibration/calibration_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>

#include "apps/output/display_text.h"
#include "apps/output/table.h"
#include "apps/output/verdict_json.h"

namespace safeguard::apps {
namespace {

using Json = nlohmann::ordered_json;
using moderation::ScoreCalibration;

std::string Percent(double share) {
  return fmt::format("{:g} %", share * 100);
}

std::string Head(const CalibrationResult& result) {
  const ScoreCalibration& c = result.calibration;
  std::string text;
  const auto line = [&text](const char* name, const std::string& value) {
    fmt::format_to(std::back_inserter(text), "{:<12}{}\n", name, value);
  };
  line("Policy", fmt::format("{} version {}, hash {}", Printable(c.policy.id),
                             Printable(c.policy.version), c.policy.hash.substr(0, 16)));
  line("Judge",
       fmt::format("{}, {}", Printable(c.judge), Shorten(Printable(c.judge_identity), 60)));
  line("Golden set",
       fmt::format("{} different texts ({} violations, {} safe), {}; scored by {}-fold "
                   "cross-validation",
                   c.cases, c.positives, c.cases - c.positives, Printable(result.golden_origin),
                   result.folds));
  if (result.fit.without_score > 0) {
    line("", fmt::format("{} more have no score: undetermined, so never safe",
                         result.fit.without_score));
  }
  line("Map", c.map.method == moderation::CalibrationMethod::kPlatt
                  ? fmt::format("platt: slope {:.3f}, offset {:.3f} on log-odds", c.map.slope,
                                c.map.offset)
                  : fmt::format("isotonic: {} knots", c.map.knots.size()));
  return text;
}

std::string Errors(const CalibrationResult& result, std::size_t columns) {
  const eval::CalibrationFigures& raw = result.fit.raw;
  const eval::CalibrationFigures& calibrated = result.fit.calibrated;
  const auto row = [](const char* name, double before, double after, const std::string& chance) {
    return std::vector<Cell>{
        {name}, {fmt::format("{:.3f}", before)}, {fmt::format("{:.3f}", after)}, {chance}};
  };
  const std::vector<std::vector<Cell>> rows = {
      row("calibration error, bins of equal mass", raw.equal_mass.expected_calibration_error,
          calibrated.equal_mass.expected_calibration_error,
          fmt::format("{:.3f}", calibrated.error_by_chance)),
      row("calibration error, bins of equal width", raw.error_equal_width,
          calibrated.error_equal_width, ""),
      row("Brier score", raw.brier, calibrated.brier, "")};
  return RenderTable({{""}, {"RAW", true}, {"CALIBRATED", true}, {"BY CHANCE", true}}, rows,
                     columns, false);
}

std::string ReliabilityText(const char* name, const eval::Reliability& reliability) {
  std::vector<double> scores;
  std::vector<double> shares;
  for (const eval::ReliabilityBin& bin : reliability.bins) {
    scores.push_back(bin.score_mean);
    shares.push_back(bin.positive_share);
  }
  return fmt::format("  {:<11} scores {}   violations {}\n", name, Sparkline(scores),
                     Sparkline(shares));
}

std::string Interval(std::size_t part, std::size_t whole,
                     const std::optional<eval::Interval>& interval) {
  return whole == 0 || !interval
             ? "-"
             : fmt::format("{:.2f} ({:.2f}-{:.2f})",
                           static_cast<double>(part) / static_cast<double>(whole), interval->low,
                           interval->high);
}

struct Cuts {
  eval::CutFigures violation;
  eval::CutFigures not_safe;
  std::size_t positives = 0;
  std::size_t negatives = 0;
};

Cuts CutsOf(const CalibrationResult& result) {
  const moderation::Thresholds raw = RawThresholds(result.calibration, result.policy);
  Cuts cuts{.violation = eval::MeasureCut(result.held_out, raw.violation),
            .not_safe = eval::MeasureCut(result.held_out, raw.safe)};
  for (const eval::HeldOutCase& c : result.held_out) {
    ++(c.positive ? cuts.positives : cuts.negatives);
  }
  return cuts;
}

std::string ThresholdName(double raw) {
  return raw > 1 ? "none" : fmt::format("{:.3f}", raw);
}

std::string CutsText(const CalibrationResult& result, std::size_t columns) {
  const Cuts cuts = CutsOf(result);
  const auto row = [&](const std::string& name, const eval::CutFigures& cut) {
    return std::vector<Cell>{
        {name},
        {ThresholdName(cut.threshold)},
        {cut.threshold > 1 ? "-"
                           : fmt::format("{:.3f}", result.calibration.map.Apply(cut.threshold))},
        {Interval(cut.positives_above, cuts.positives, cut.recall)},
        {Interval(cut.negatives_above, cuts.negatives, cut.false_alarms)}};
  };
  const std::vector<std::vector<Cell>> rows = {row("violation at or above", cuts.violation),
                                               row("not safe at or above", cuts.not_safe)};
  const std::size_t between = cuts.not_safe.positives_above + cuts.not_safe.negatives_above -
                              cuts.violation.positives_above - cuts.violation.negatives_above;
  std::string text = "\n" + RenderTable({{"THRESHOLD"},
                                         {"RAW SCORE", true},
                                         {"PROBABILITY", true},
                                         {"RECALL", true},
                                         {"FALSE ALARMS", true}},
                                        rows, columns, false);
  if (between > 0) {
    text += fmt::format(
        "Between the two a content is undetermined: {} of these {} cases ({:.0f} %), for the "
        "reasoner or a person.\n",
        between, result.held_out.size(),
        100.0 * static_cast<double>(between) / static_cast<double>(result.held_out.size()));
  }
  return text;
}

std::string BoundText(const CalibrationResult& result, std::size_t columns) {
  const std::optional<moderation::MissBound>& bound = result.calibration.miss_bound;
  if (!bound) {
    return result.fit.why_no_bound.empty()
               ? ""
               : "\n" + Wrap("No bound on missed violations: " + result.fit.why_no_bound + ".",
                             columns, 0);
  }
  return "\n" + Wrap(fmt::format("With confidence {}, at most {} of this policy's violations are "
                                 "called safe: {} of {} labelled violations score below {}.",
                                 Percent(bound->confidence), Percent(bound->miss_rate),
                                 bound->below, bound->positives, ThresholdName(bound->threshold)),
                     columns, 0);
}

std::vector<std::string> Caveats(const CalibrationResult& result) {
  const ScoreCalibration& c = result.calibration;
  std::vector<std::string> notes = {
      "The judge learns from the same golden set, so every case was scored by a judge that had not "
      "learned it; the map is then used with the judge that learned them all.",
      "It holds for content like the golden set (\"exchangeable\"): another source, language or "
      "season takes new labels.",
      fmt::format("A probability is one for a mix with {:.0f} % violations, as in the golden set. "
                  "Where they are rarer it is lower than stated; the bound on misses does not "
                  "depend on that.",
                  100.0 * static_cast<double>(c.positives) / static_cast<double>(c.cases))};
  if (c.error_calibrated >= c.error_raw) {
    notes.push_back("The raw scores were no worse: with so few cases there was nothing to mend.");
  }
  return notes;
}

}  // namespace

std::string Sparkline(std::span<const double> shares) {
  constexpr const char* kBlocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  std::string line;
  for (const double share : shares) {
    line += kBlocks[std::clamp(static_cast<int>(std::floor(share * 8)), 0, 7)];
  }
  return line;
}

std::string CalibrationText(const CalibrationResult& result, std::size_t columns) {
  std::string text = Head(result) + "\n" + Errors(result, columns) +
                     "\nReliability, lowest scores first; where scores are probabilities both "
                     "lines rise alike\n" +
                     ReliabilityText("raw", result.fit.raw.equal_mass) +
                     ReliabilityText("calibrated", result.fit.calibrated.equal_mass) +
                     CutsText(result, columns) + BoundText(result, columns) + "\n";
  for (const std::string& note : Caveats(result)) {
    std::string item = Wrap(note, columns, 2);
    item[0] = '-';
    text += item;
  }
  return text + (result.saved_to.empty()
                     ? "\nNot saved: the policy is no file; name one with --out.\n"
                     : "\nSaved to " + Printable(result.saved_to) +
                           "; classify, batch and eval use it from now on.\n");
}

std::string CalibrationJsonText(const CalibrationResult& result) {
  const auto figures = [](const eval::CalibrationFigures& f) {
    return Json{{"expected_calibration_error", f.equal_mass.expected_calibration_error},
                {"expected_calibration_error_equal_width", f.error_equal_width},
                {"by_chance", f.error_by_chance},
                {"brier", f.brier}};
  };
  const Cuts cuts = CutsOf(result);
  const auto cut = [&result](const eval::CutFigures& c) {
    const auto interval = [](const std::optional<eval::Interval>& i) {
      return i ? Json::array({i->low, i->high}) : Json(nullptr);
    };
    return Json{{"raw_score", c.threshold > 1 ? Json(nullptr) : Json(c.threshold)},
                {"probability",
                 c.threshold > 1 ? Json(nullptr) : Json(result.calibration.map.Apply(c.threshold))},
                {"violations_above", c.positives_above},
                {"safe_above", c.negatives_above},
                {"recall_interval", interval(c.recall)},
                {"false_alarm_interval", interval(c.false_alarms)}};
  };
  Json json = {{"policy", result.calibration.policy.id},
               {"policy_hash", result.calibration.policy.hash},
               {"judge", result.calibration.judge},
               {"cases", result.calibration.cases},
               {"violations", cuts.positives},
               {"safe", cuts.negatives},
               {"without_score", result.fit.without_score},
               {"folds", result.folds},
               {"method", moderation::ToString(result.calibration.map.method)},
               {"raw", figures(result.fit.raw)},
               {"calibrated", figures(result.fit.calibrated)},
               {"violation_at_or_above", cut(cuts.violation)},
               {"not_safe_at_or_above", cut(cuts.not_safe)}};
  json["miss_bound"] = nullptr;
  if (result.calibration.miss_bound) {
    const moderation::MissBound& bound = *result.calibration.miss_bound;
    json["miss_bound"] = {{"miss_rate", bound.miss_rate},
                          {"confidence", bound.confidence},
                          {"positives", bound.positives},
                          {"below", bound.below}};
  }
  json["why_no_bound"] = result.fit.why_no_bound;
  json["notes"] = Caveats(result);
  json["saved_to"] = result.saved_to;
  return JsonText(json);
}

}  // namespace safeguard::apps
