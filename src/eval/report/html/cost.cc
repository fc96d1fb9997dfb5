// What it took, alone and beside other runs.
#include <fmt/format.h>

#include <algorithm>

#include "eval/report/html/html_text.h"
#include "eval/report/html/plot.h"
#include "eval/report/html/sections.h"

namespace safeguard::eval {
namespace {

constexpr std::size_t kPointsMax = 12;
constexpr std::size_t kNameBytesMax = 60;

std::string Duration(double seconds) {
  return seconds < 1      ? fmt::format("{:.3g} ms", seconds * 1000)
         : seconds < 120  ? fmt::format("{:.3g} s", seconds)
         : seconds < 7200 ? fmt::format("{:.1f} min", seconds / 60)
                          : fmt::format("{:.1f} h", seconds / 3600);
}

std::string TokensText(double tokens) {
  return CountText(static_cast<std::size_t>(tokens));
}

std::string Row(const char* name, const std::optional<Spread>& spread,
                std::string (*text)(double)) {
  if (!spread) {
    return "";
  }
  std::string row = fmt::format("<tr><td>{}</td>", name);
  for (const double value : {spread->p50, spread->p95, spread->max, spread->total}) {
    row += "<td class=\"n\">" + text(value) + "</td>";
  }
  return row + "</tr>";
}

// Numbers in the plot, names in the legend: names are long and points lie close.
std::string QualityPlot(const std::vector<QualityPoint>& points) {
  double least = 1e300;
  double most = 0;
  for (const QualityPoint& point : points) {
    least = std::min(least, *point.seconds);
    most = std::max(most, *point.seconds);
  }
  Plot plot("Cost against quality", "F1 against the median time of a content, one mark a run",
            LogAxis("median time of a content, seconds (log scale)", least, most), ShareAxis("F1"));
  constexpr Plot::Shape kShapes[] = {Plot::Shape::kDiamond, Plot::Shape::kCircle,
                                     Plot::Shape::kSquare, Plot::Shape::kTriangle};
  constexpr const char* kColours[] = {"fill-bad", "fill-good", "fill-third"};
  std::string legend;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const QualityPoint& point = points[i];
    if (point.interval) {
      plot.Whisker(*point.seconds, point.interval->low, point.interval->high, "");
    }
    plot.Mark(*point.seconds, *point.f1, kShapes[i % 4], 5.2, kColours[i % 3]);
    plot.Label(*point.seconds, *point.f1, std::to_string(i + 1));
    legend += fmt::format(
        "<tr><td class=\"n\">{}</td><td>{}</td><td class=\"v\">{} <span>{}</span></td><td "
        "class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
        i + 1, HtmlText(Excerpt(point.name, kNameBytesMax)), ShareText(point.f1),
        IntervalText(point.interval), Duration(*point.seconds),
        point.tokens ? TokensText(*point.tokens) : "–");
  }
  return "<h3>Cost against quality</h3><div class=\"pair\">" +
         FigureBox(plot.Svg(), "Up and to the left is better.",
                   "Lines are intervals of F1. Runs compare only on the same data.") +
         "<div class=\"scroll\"><table><tr><th class=\"n\">#</th><th>run</th><th>F1</th><th "
         "class=\"n\">median time</th><th class=\"n\">tokens each</th></tr>" +
         legend + "</table></div></div>";
}

}  // namespace

std::string CostSection(const Report& report, std::span<const QualityPoint> others) {
  const Cost& cost = report.cost;
  if (!cost.seconds) {
    return "";
  }
  std::string html =
      "<div class=\"scroll\"><table><tr><th>of a content</th><th class=\"n\">median</th><th "
      "class=\"n\">95 % below</th><th class=\"n\">most</th><th class=\"n\">in all</th></tr>" +
      Row("time", cost.seconds, Duration) + Row("prompt tokens", cost.prompt_tokens, TokensText) +
      Row("&nbsp;&nbsp;of these cached", cost.cached_tokens, TokensText) +
      Row("reasoning tokens", cost.reasoning_tokens, TokensText) +
      Row("answer tokens", cost.answer_tokens, TokensText) + "</table></div>";
  html += fmt::format("<p class=\"soft\">{} contents in {} of judging{}.</p>",
                      CountText(cost.contents), Duration(report.seconds),
                      report.contents_per_second
                          ? fmt::format(", {:.3g} a second", *report.contents_per_second)
                          : "");
  std::vector<QualityPoint> points = {QualityOf(report)};
  points.insert(points.end(), others.begin(), others.end());
  std::erase_if(points, [](const QualityPoint& point) {
    return !point.f1 || !point.seconds || !(*point.seconds > 0);
  });
  points.resize(std::min(points.size(), kPointsMax));
  return others.empty() || points.empty() ? html : html + QualityPlot(points);
}

}  // namespace safeguard::eval
