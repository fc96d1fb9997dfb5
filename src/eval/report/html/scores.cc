// What the scores could do at every threshold, and whether they can be read as probabilities.
#include <fmt/format.h>

#include <algorithm>

#include "eval/report/html/html_text.h"
#include "eval/report/html/plot.h"
#include "eval/report/html/sections.h"

namespace safeguard::eval {
namespace {

using Points = std::vector<std::pair<double, double>>;

double PositiveShare(const Report& report) {
  return report.cases == 0
             ? 0
             : static_cast<double>(report.positives) / static_cast<double>(report.cases);
}

std::string Roc(const Report& report) {
  if (!report.roc_auc.value) {
    return "";
  }
  Points points;
  for (const CurvePoint& point : report.curve) {
    points.emplace_back(*point.false_alarm_rate, *point.recall);
  }
  Plot plot("ROC curve", "Recall against false alarms over all thresholds",
            ShareAxis("false alarms among safe content"), ShareAxis("recall: violations found"));
  const Points chance = {{0, 0}, {1, 1}};
  plot.Line(chance, "guide");
  plot.Area(points, "good");
  plot.Line(points, "good");
  if (report.with_undetermined.recall.value && report.with_undetermined.false_alarm_rate.value) {
    const double x = *report.with_undetermined.false_alarm_rate.value;
    const double y = *report.with_undetermined.recall.value;
    plot.Mark(x, y, Plot::Shape::kDiamond, 5.5, "fill-bad");
    plot.Label(x, y - 0.05, "as decided");
  }
  return FigureBox(
      plot.Svg(), "ROC.",
      fmt::format(
          "Area {} {}. The diamond is what was decided, undetermined cases "
          "counted as wrong; the dashed line is chance.",
          ShareText(report.roc_auc.value),
          report.roc_auc.interval ? "(" + IntervalText(report.roc_auc.interval) + ")" : ""));
}

std::string PrecisionRecall(const Report& report) {
  if (!report.average_precision.value) {
    return "";
  }
  Points points;
  for (const CurvePoint& point : report.curve) {
    if (point.precision) {
      // A step, as average precision counts it: straight lines between would promise too much.
      if (!points.empty()) {
        points.emplace_back(points.back().first, *point.precision);
      } else {
        points.emplace_back(0, *point.precision);
      }
      points.emplace_back(*point.recall, *point.precision);
    }
  }
  Plot plot("Precision and recall", "Precision against recall over all thresholds",
            ShareAxis("recall: violations found"), ShareAxis("precision: alarms that are right"));
  const double share = PositiveShare(report);
  const Points chance = {{0, share}, {1, share}};
  plot.Line(chance, "guide");
  plot.Area(points, "bad");
  plot.Line(points, "bad");
  if (report.with_undetermined.recall.value && report.with_undetermined.precision.value) {
    plot.Mark(*report.with_undetermined.recall.value, *report.with_undetermined.precision.value,
              Plot::Shape::kDiamond, 5.5, "fill-good");
  }
  return FigureBox(plot.Svg(), "Precision and recall.",
                   fmt::format("Average precision {} {}. The dashed line is chance: {:.2f}, the "
                               "share of violations in this data; with fewer violations in your "
                               "traffic, precision falls.",
                               ShareText(report.average_precision.value),
                               report.average_precision.interval
                                   ? "(" + IntervalText(report.average_precision.interval) + ")"
                                   : "",
                               share));
}

std::string ReliabilityPlot(const Report& report) {
  if (!report.reliability) {
    return "";
  }
  Plot plot("Reliability", "The share of violations among contents of about the same score",
            ShareAxis("score"), ShareAxis("share of violations"));
  const Points perfect = {{0, 0}, {1, 1}};
  plot.Line(perfect, "guide");
  Points points;
  for (const ReliabilityBin& bin : report.reliability->bins) {
    points.emplace_back(bin.score_mean, bin.positive_share);
    plot.Whisker(bin.score_mean, bin.interval.low, bin.interval.high, "");
  }
  plot.Line(points, "third");
  for (const auto& [x, y] : points) {
    plot.Mark(x, y, Plot::Shape::kCircle, 4.2, "fill-third");
  }
  return FigureBox(
      plot.Svg(), "Reliability.",
      fmt::format("{} bins of equal mass with 95 % intervals; on the dashed line a score is a "
                  "probability. Calibration error {:.3f}; perfect scores would show {:.3f} by "
                  "chance.{}",
                  report.reliability->bins.size(), report.reliability->expected_calibration_error,
                  report.calibration_error_by_chance.value_or(0),
                  report.calibration
                      ? fmt::format(" Brier score {:.3f}.", report.calibration->brier)
                      : ""));
}

std::string HistogramPlot(const Report& report) {
  std::size_t most = 0;
  const Histogram& histogram = report.histogram;
  for (std::size_t i = 0; i < histogram.positives.size(); ++i) {
    most = std::max({most, histogram.positives[i], histogram.negatives[i]});
  }
  if (most == 0) {
    return "";
  }
  Plot plot("Scores by class", "Number of violations and of safe contents by score",
            ShareAxis("score"), CountAxis("contents", static_cast<double>(most)));
  const double width = 1.0 / static_cast<double>(histogram.positives.size());
  for (std::size_t i = 0; i < histogram.positives.size(); ++i) {
    const double left = width * static_cast<double>(i);
    plot.Rectangle(left + width * 0.06, 0, left + width * 0.5,
                   static_cast<double>(histogram.negatives[i]), "hatch");
    plot.Rectangle(left + width * 0.5, 0, left + width * 0.94,
                   static_cast<double>(histogram.positives[i]), "fill-bad");
  }
  if (report.thresholds) {
    for (const double cut : {report.thresholds->violation, report.thresholds->safe}) {
      plot.Rectangle(cut, 0, cut, static_cast<double>(most), "cut");
    }
  }
  return FigureBox(plot.Svg(), "Scores by class.",
                   "<span class=\"swatch good\"></span>safe, left in each pair "
                   "<span class=\"swatch bad\"></span>violation, right");
}

std::string PointRow(const std::string& what, const Figure& figure,
                     const std::optional<OperatingPoint>& point) {
  const auto number = [&point](double OperatingPoint::* member) {
    return point ? ShareText((*point).*member) : "–";
  };
  return fmt::format(
      "<tr><td>{}</td><td class=\"v\">{} <span>{}</span></td><td class=\"n\">{}</td><td "
      "class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
      what, ShareText(figure.value), IntervalText(figure.interval),
      point && point->threshold > 1 ? "none" : number(&OperatingPoint::threshold),
      number(&OperatingPoint::recall), number(&OperatingPoint::precision),
      number(&OperatingPoint::false_alarm_rate));
}

std::string OperatingPoints(const Report& report) {
  std::string rows;
  const RankOptions& options = report.options.ranking;
  for (std::size_t i = 0; i < report.recall_at_rates.size(); ++i) {
    rows +=
        PointRow(fmt::format("recall at {:g} % false alarms", options.false_alarm_rates[i] * 100),
                 report.recall_at_rates[i], report.ranking.recall_at_rates[i]);
  }
  for (std::size_t i = 0; i < report.precision_at_recall.size(); ++i) {
    rows += PointRow(fmt::format("precision at a recall of {:g}", options.recalls[i]),
                     report.precision_at_recall[i], report.ranking.precision_at_recall[i]);
  }
  return "<h3>Other thresholds</h3><p class=\"soft\">Chosen on these very cases, so a little too "
         "good: confirm one on fresh data before it is used.</p><div class=\"scroll\"><table>"
         "<tr><th>if you ask for</th><th>you get</th><th class=\"n\">threshold</th><th "
         "class=\"n\">recall</th><th class=\"n\">precision</th><th class=\"n\">false alarms</th>"
         "</tr>" +
         rows + "</table></div>";
}

}  // namespace

std::string ScoresSection(const Report& report) {
  if (report.scored == 0) {
    return "";
  }
  return "<div class=\"pair\">" + Roc(report) + PrecisionRecall(report) + ReliabilityPlot(report) +
         HistogramPlot(report) + "</div>" + OperatingPoints(report);
}

}  // namespace safeguard::eval
