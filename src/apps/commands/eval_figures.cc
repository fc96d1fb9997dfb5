#include "apps/commands/eval_figures.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "apps/output/display_text.h"
#include "apps/output/table.h"
#include "eval/adherence.h"
#include "eval/comparison.h"
#include "eval/severity.h"

namespace safeguard::apps {
namespace {

using moderation::Outcome;
using Row = std::vector<Cell>;

struct AtThreshold {
  double threshold = 0;
  eval::Confusion confusion{};
};

std::vector<AtThreshold> MeasureThresholds(const Measured& measured,
                                           std::span<const double> thresholds) {
  std::vector<AtThreshold> figures;
  for (const double threshold : thresholds) {
    AtThreshold& figure = figures.emplace_back();
    figure.threshold = threshold;
    const std::vector<eval::CaseResult>& results = measured.runs.front().results;
    for (std::size_t i = 0; i < results.size(); ++i) {
      const std::optional<double>& score = results[i].verdict.score;
      const std::optional<Outcome>& expected = measured.data.records[i].expected;
      if (results[i].judged && score && expected) {
        figure.confusion.Add(*expected == Outcome::kViolation, *score >= threshold);
      }
    }
  }
  return figures;
}

std::optional<double> Share(std::size_t part, std::size_t whole) {
  return whole == 0 ? std::nullopt
                    : std::optional(static_cast<double>(part) / static_cast<double>(whole));
}

std::optional<eval::SeverityFigures> MeasureSeverityOf(const Measured& measured) {
  constexpr std::size_t kLevelsMin = 3;
  std::vector<eval::SeverityPair> pairs;
  std::set<int> levels;
  for (std::size_t i = 0; i < measured.data.records.size(); ++i) {
    const eval::Record& record = measured.data.records[i];
    const eval::CaseResult& result = measured.runs.front().results[i];
    if (record.level && result.judged) {
      pairs.push_back({*record.level, eval::SeverityOf(result.verdict)});
      levels.insert(*record.level);
    }
  }
  if (levels.size() < kLevelsMin || measured.policies.size() > 1) {
    return std::nullopt;
  }
  for (const moderation::Level& level : measured.policies.front().levels) {
    if (const std::optional<int> known = eval::SeverityOf(level.id)) {
      levels.insert(*known);
    }
  }
  return eval::MeasureSeverity(pairs, std::vector<int>(levels.begin(), levels.end()));
}

std::string SeverityTable(const eval::SeverityFigures& figures, std::size_t columns) {
  std::vector<Column> titles = {{"EXPECTED", true}};
  std::vector<Row> rows;
  for (const int level : figures.levels) {
    titles.push_back({std::to_string(level), true});
  }
  for (std::size_t e = 0; e < figures.levels.size(); ++e) {
    Row& row = rows.emplace_back();
    row.push_back({std::to_string(figures.levels[e])});
    for (const std::size_t count : figures.counts[e]) {
      row.push_back({std::to_string(count)});
    }
  }
  return RenderTable(titles, rows, columns, false);
}

Json IntervalJson(const std::optional<eval::Interval>& interval) {
  return interval ? Json({interval->low, interval->high}) : Json(nullptr);
}

std::string ShareText(const eval::ExactMatch& exact) {
  return exact.share && exact.interval
             ? fmt::format("{} ({:.3f} - {:.3f})", FigureText(exact.share), exact.interval->low,
                           exact.interval->high)
             : FigureText(exact.share);
}

}  // namespace

std::string FigureText(const std::optional<double>& value) {
  return value ? fmt::format("{:.3f}", *value) : "-";
}

Json FigureJson(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

std::string ThresholdText(const Measured& measured, std::span<const double> thresholds,
                          std::size_t columns) {
  if (thresholds.empty()) {
    return {};
  }
  std::vector<Row> rows;
  for (const AtThreshold& figure : MeasureThresholds(measured, thresholds)) {
    const eval::Confusion& c = figure.confusion;
    rows.push_back({{fmt::format("{:g}", figure.threshold)},
                    {FigureText(eval::Precision(c))},
                    {FigureText(eval::Recall(c))},
                    {FigureText(eval::F1(c))},
                    {FigureText(eval::FalseAlarmRate(c))},
                    {std::to_string(c.total())}});
  }
  return "\nAt other thresholds (a violation at or above)\n" + RenderTable({{"THRESHOLD", true},
                                                                            {"PRECISION", true},
                                                                            {"RECALL", true},
                                                                            {"F1", true},
                                                                            {"FALSE ALARMS", true},
                                                                            {"SCORED", true}},
                                                                           rows, columns, false);
}

Json ThresholdJson(const Measured& measured, std::span<const double> thresholds) {
  Json list = Json::array();
  for (const AtThreshold& figure : MeasureThresholds(measured, thresholds)) {
    const eval::Confusion& c = figure.confusion;
    list.push_back({{"threshold", figure.threshold},
                    {"precision", FigureJson(eval::Precision(c))},
                    {"recall", FigureJson(eval::Recall(c))},
                    {"f1", FigureJson(eval::F1(c))},
                    {"false_alarm_rate", FigureJson(eval::FalseAlarmRate(c))},
                    {"true_positive", c.true_positive},
                    {"false_positive", c.false_positive},
                    {"false_negative", c.false_negative},
                    {"true_negative", c.true_negative}});
  }
  return list;
}

std::string SeverityText(const Measured& measured, std::size_t columns) {
  const std::optional<eval::SeverityFigures> figures = MeasureSeverityOf(measured);
  if (!figures) {
    return {};
  }
  std::string text = fmt::format(
      "\nGraded severity ({} cases with a level; {} answers without one count as wrong)\n"
      "  exact {}   off by at most one level {}   too high {}   too low {}\n"
      "  quadratic kappa {} (over answers with a level)\n\n"
      "Levels answered (columns) for levels expected (rows)\n",
      figures->cases, figures->without_level, FigureText(Share(figures->exact, figures->cases)),
      FigureText(Share(figures->off_by_one, figures->cases)), figures->too_high, figures->too_low,
      FigureText(figures->quadratic_kappa));
  text += SeverityTable(*figures, columns);
  std::vector<Row> rows;
  for (const eval::SeverityFigures::Cut& cut : figures->cuts) {
    const eval::Confusion& c = cut.confusion;
    rows.push_back({{fmt::format(">= {}", cut.level)},
                    {FigureText(eval::Precision(c))},
                    {FigureText(eval::Recall(c))},
                    {FigureText(eval::F1(c))},
                    {std::to_string(c.positives())}});
  }
  return text + "\nAs a yes or no at each level\n" +
         RenderTable({{"LEVEL", true},
                      {"PRECISION", true},
                      {"RECALL", true},
                      {"F1", true},
                      {"CASES", true}},
                     rows, columns, false);
}

Json SeverityJson(const Measured& measured) {
  const std::optional<eval::SeverityFigures> figures = MeasureSeverityOf(measured);
  if (!figures) {
    return nullptr;
  }
  Json cuts = Json::array();
  for (const eval::SeverityFigures::Cut& cut : figures->cuts) {
    cuts.push_back({{"level", cut.level},
                    {"precision", FigureJson(eval::Precision(cut.confusion))},
                    {"recall", FigureJson(eval::Recall(cut.confusion))},
                    {"f1", FigureJson(eval::F1(cut.confusion))}});
  }
  return {{"cases", figures->cases},
          {"without_level", figures->without_level},
          {"exact", FigureJson(Share(figures->exact, figures->cases))},
          {"off_by_one", FigureJson(Share(figures->off_by_one, figures->cases))},
          {"too_high", figures->too_high},
          {"too_low", figures->too_low},
          {"quadratic_kappa", FigureJson(figures->quadratic_kappa)},
          {"levels", figures->levels},
          {"counts", figures->counts},
          {"cuts", std::move(cuts)}};
}

std::string AdherenceText(const Measured& measured) {
  const eval::AdherenceFigures figures = eval::MeasureAdherence(measured.runs.front().results);
  if (figures.answers == 0) {
    return {};
  }
  std::string text = fmt::format(
      "\nHow the {} answers kept to what the policy asks\n"
      "  read {}   in the format asked for {}   citing rules {}, of these with unknown rules {}\n",
      figures.answers, FigureText(Share(figures.read, figures.answers)),
      figures.asked == 0 ? "- (the policy asks for none)"
                         : FigureText(Share(figures.followed, figures.asked)),
      figures.citing, figures.citing_unknown);
  const auto list = [&text](const char* title, const std::map<std::string, std::size_t>& counts) {
    if (counts.empty()) {
      return;
    }
    text += std::string("  ") + title + ":";
    for (const auto& [name, count] : counts) {
      text += fmt::format(" {} {}", Printable(name), count) +
              (name == counts.rbegin()->first ? "\n" : ",");
    }
  };
  list("given as", figures.forms);
  list("not as asked", figures.faults);
  return text;
}

Json AdherenceJson(const Measured& measured) {
  const eval::AdherenceFigures figures = eval::MeasureAdherence(measured.runs.front().results);
  if (figures.answers == 0) {
    return nullptr;
  }
  return {{"answers", figures.answers}, {"read", figures.read},
          {"asked", figures.asked},     {"followed", figures.followed},
          {"forms", figures.forms},     {"faults", figures.faults},
          {"citing", figures.citing},   {"citing_unknown_rules", figures.citing_unknown}};
}

std::string LabelText(const Measured& measured, const eval::LabelTask& task, std::size_t columns) {
  const eval::ExactMatch& exact = task.exact;
  std::vector<Row> rows;
  for (std::size_t l = 0; l < exact.labels.size(); ++l) {
    const eval::LabelResult& label = exact.labels[l];
    const eval::Confusion& c = label.with_undetermined;
    rows.push_back({{Printable(label.name)},
                    {Printable(measured.policies[l].id)},
                    {measured.policies[l].hash.substr(0, 12)},
                    {std::to_string(c.total())},
                    {std::to_string(c.positives())},
                    {FigureText(eval::Precision(c))},
                    {FigureText(eval::Recall(c))},
                    {FigureText(eval::F1(c))},
                    {std::to_string(label.undetermined)}});
  }
  return fmt::format(
             "By label{}\n{}\n"
             "Over all labels: micro F1 {}, macro F1 {} (undetermined counted as wrong: {})\n"
             "Multi-policy accuracy: {}, {} of the {} records whose every label is known\n",
             measured.prompting.empty() ? "" : ", " + measured.prompting + " prompts",
             RenderTable({{"LABEL"},
                          {"POLICY", false, true},
                          {"HASH"},
                          {"KNOWN", true},
                          {"VIOLATIONS", true},
                          {"PRECISION", true},
                          {"RECALL", true},
                          {"F1", true},
                          {"UNDETERMINED", true}},
                         rows, columns, false),
             FigureText(task.micro_f1), FigureText(exact.macro_f1), task.undetermined,
             ShareText(exact), exact.matches, exact.complete) +
         CostText(task.cost);
}

Json LabelJson(const Measured& measured, const eval::LabelTask& task) {
  Json labels = Json::array();
  for (std::size_t l = 0; l < task.exact.labels.size(); ++l) {
    const eval::LabelResult& label = task.exact.labels[l];
    const eval::Confusion& c = label.with_undetermined;
    labels.push_back({{"label", label.name},
                      {"policy", measured.policies[l].id},
                      {"policy_hash", measured.policies[l].hash},
                      {"known", c.total()},
                      {"violations", c.positives()},
                      {"undetermined", label.undetermined},
                      {"precision", FigureJson(eval::Precision(c))},
                      {"recall", FigureJson(eval::Recall(c))},
                      {"f1", FigureJson(eval::F1(c))}});
  }
  return {{"prompting", measured.prompting},
          {"records", task.exact.items},
          {"labels", std::move(labels)},
          {"micro_f1", FigureJson(task.micro_f1)},
          {"macro_f1", FigureJson(task.exact.macro_f1)},
          {"undetermined", task.undetermined},
          {"multi_policy_accuracy",
           {{"complete", task.exact.complete},
            {"matches", task.exact.matches},
            {"share", FigureJson(task.exact.share)},
            {"interval", IntervalJson(task.exact.interval)}}},
          {"cost", CostJson(task.cost)}};
}

std::string PromptingText(std::span<const Measured> variants,
                          std::span<const eval::LabelTask> tasks, std::size_t columns) {
  std::vector<Row> rows;
  for (std::size_t v = 0; v < variants.size(); ++v) {
    const eval::LabelTask& task = tasks[v];
    rows.push_back({{variants[v].prompting},
                    {ShareText(task.exact)},
                    {FigureText(task.micro_f1)},
                    {FigureText(task.exact.macro_f1)},
                    {std::to_string(task.undetermined)},
                    {fmt::format("{:.0f}", task.cost.prompt_tokens - task.cost.cached_tokens)},
                    {fmt::format("{:.0f}", task.cost.reasoning_tokens + task.cost.answer_tokens)},
                    {fmt::format("{:.3f}", task.cost.seconds)}});
  }
  std::string text = "\nSeparate and joint prompts side by side (tokens and seconds a record)\n" +
                     RenderTable({{"PROMPTS"},
                                  {"MULTI-POLICY ACCURACY"},
                                  {"MICRO F1", true},
                                  {"MACRO F1", true},
                                  {"UNDETERMINED", true},
                                  {"TOKENS IN", true},
                                  {"TOKENS OUT", true},
                                  {"SECONDS", true}},
                                 rows, columns, false);
  if (tasks.size() == 2 && tasks[0].complete == tasks[1].complete) {
    std::size_t only_first = 0;
    std::size_t only_second = 0;
    for (std::size_t i = 0; i < tasks[0].matched.size(); ++i) {
      only_first += tasks[0].matched[i] > tasks[1].matched[i] ? 1 : 0;
      only_second += tasks[1].matched[i] > tasks[0].matched[i] ? 1 : 0;
    }
    const eval::McNemar test = eval::TestMcNemar(only_first, only_second);
    text += fmt::format("All labels right in {} alone: {}; in {} alone: {}; McNemar p {}\n",
                        variants[0].prompting, only_first, variants[1].prompting, only_second,
                        test.p ? fmt::format("{:.4f}", *test.p) : "-");
  }
  return text;
}

std::string CostText(const eval::MeanCost& cost) {
  if (cost.cases == 0) {
    return {};
  }
  std::string text = fmt::format("Cost a record: {:.4f} s", cost.seconds);
  if (cost.counted > 0) {
    text += fmt::format(
        ", {:.0f} prompt tokens ({:.0f} of them cached), {:.0f} reasoning, {:.0f} answer",
        cost.prompt_tokens, cost.cached_tokens, cost.reasoning_tokens, cost.answer_tokens);
  }
  return text + "\n";
}

Json CostJson(const eval::MeanCost& cost) {
  Json json = {{"records", cost.cases}, {"seconds", cost.seconds}, {"tokens", nullptr}};
  if (cost.counted > 0) {
    json["tokens"] = {{"prompt", cost.prompt_tokens},
                      {"cached", cost.cached_tokens},
                      {"reasoning", cost.reasoning_tokens},
                      {"answer", cost.answer_tokens}};
  }
  return json;
}

}  // namespace safeguard::apps
