#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "eval/cascade_curve.h"
#include "eval/report/html/html_text.h"
#include "eval/report/html/plot.h"
#include "eval/report/html/sections.h"
#include "eval/report/text_table.h"

namespace safeguard::eval {
namespace {

using nlohmann::ordered_json;

std::string Share(const std::optional<double>& value) {
  return value ? fmt::format("{:.3f}", *value) : "-";
}

std::string Percent(double share) {
  return fmt::format("{:.1f} %", share * 100);
}

std::string NameOf(const BudgetPoint& point) {
  return point.name == "cascade" ? fmt::format("cascade, {:.3g} %", point.budget * 100)
                                 : point.name;
}

std::vector<std::string> Cells(const BudgetPoint& point) {
  return {NameOf(point),
          Percent(point.spent),
          fmt::format("{:.1f}", point.tokens),
          Percent(point.asked),
          Share(point.f1),
          Share(point.precision),
          Share(point.recall),
          point.recall_interval ? fmt::format("{:.3f}-{:.3f}", point.recall_interval->low,
                                              point.recall_interval->high)
                                : "-",
          std::to_string(point.confusion.false_negative),
          std::to_string(point.confusion.false_positive)};
}

const std::vector<std::string> kHeader = {"judge",  "spent",       "tokens each", "asked",
                                          "F1",     "precision",   "recall",      "95 %",
                                          "missed", "false alarms"};

std::string Conclusion(const CascadeCurve& curve) {
  if (!curve.equal) {
    return "No budget measured reaches the reasoner's F1.";
  }
  const BudgetPoint& point = curve.points[*curve.equal];
  return fmt::format(
      "{} is as good as the reasoner alone (F1 {} against {}, within {:.3g}) and saves {} of its "
      "tokens.",
      NameOf(point), Share(point.f1), Share(curve.points.back().f1), curve.tolerance,
      Percent(curve.saved.value_or(0)));
}

std::string Lead(const CascadeCurve& curve) {
  return fmt::format("{} cases of {} ({} violations) under {}", curve.cases, curve.dataset,
                     curve.positives, curve.policy);
}

}  // namespace

std::string RenderText(const CascadeCurve& curve) {
  TextTable table(kHeader);
  for (const BudgetPoint& point : curve.points) {
    table.Add(Cells(point));
  }
  std::string text = Lead(curve) + "\nscreen    " + curve.screen + "\nreasoner  " + curve.reasoner +
                     "\n\n" + table.Render("") + "\n" + Conclusion(curve) + "\n";
  for (const std::string& note : curve.notes) {
    text += "note: " + note + "\n";
  }
  return text;
}

std::string RenderMarkdown(const CascadeCurve& curve) {
  const auto row = [](const std::vector<std::string>& cells) {
    std::string line = "|";
    for (const std::string& cell : cells) {
      line += " " + cell + " |";
    }
    return line + "\n";
  };
  // Names of files and policies are shown as code, so that nothing in them is markup.
  const auto code = [](std::string text) {
    std::ranges::replace(text, '`', '\'');
    std::ranges::replace(text, '\n', ' ');
    return "`" + text + "`";
  };
  std::string text = "# Cost against quality of a cascade\n\n" + code(Lead(curve)) +
                     "\n\n- screen: " + code(curve.screen) +
                     "\n- reasoner: " + code(curve.reasoner) + "\n\n" + row(kHeader) + "|---";
  for (std::size_t i = 1; i < kHeader.size(); ++i) {
    text += "|---:";
  }
  text += "|\n";
  for (const BudgetPoint& point : curve.points) {
    text += row(Cells(point));
  }
  text += "\n" + Conclusion(curve) + "\n";
  for (const std::string& note : curve.notes) {
    text += "\n> " + code(note) + "\n";
  }
  return text;
}

std::string RenderJson(const CascadeCurve& curve) {
  const auto number = [](const std::optional<double>& value) {
    return value ? ordered_json(*value) : ordered_json(nullptr);
  };
  ordered_json points = ordered_json::array();
  for (const BudgetPoint& point : curve.points) {
    points.push_back({{"judge", point.name},
                      {"budget", point.budget},
                      {"spent", point.spent},
                      {"tokens_per_content", point.tokens},
                      {"asked", point.asked},
                      {"f1", number(point.f1)},
                      {"precision", number(point.precision)},
                      {"recall", number(point.recall)},
                      {"recall_interval",
                       point.recall_interval
                           ? ordered_json({point.recall_interval->low, point.recall_interval->high})
                           : ordered_json(nullptr)},
                      {"true_positive", point.confusion.true_positive},
                      {"false_positive", point.confusion.false_positive},
                      {"false_negative", point.confusion.false_negative},
                      {"true_negative", point.confusion.true_negative},
                      {"undetermined", point.undetermined}});
  }
  const ordered_json object = {
      {"dataset", curve.dataset},
      {"policy", curve.policy},
      {"screen", curve.screen},
      {"reasoner", curve.reasoner},
      {"cases", curve.cases},
      {"positives", curve.positives},
      {"tolerance", curve.tolerance},
      {"equal", curve.equal ? ordered_json(*curve.equal) : ordered_json(nullptr)},
      {"saved", number(curve.saved)},
      {"points", points},
      {"notes", curve.notes}};
  return object.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string RenderHtml(const CascadeCurve& curve) {
  Plot plot("Cost against quality", "F1 and recall against the share of the reasoner's cost",
            ShareAxis("share of the cost of asking the reasoner everything"),
            ShareAxis("F1 (solid) and recall (marks)"));
  std::vector<std::pair<double, double>> line;
  for (const BudgetPoint& point : curve.points) {
    if (point.f1) {
      line.emplace_back(point.spent, *point.f1);
      plot.Mark(point.spent, *point.f1, Plot::Shape::kCircle, 4.5, "fill-good");
    }
    if (point.recall_interval && point.recall) {
      plot.Whisker(point.spent, point.recall_interval->low, point.recall_interval->high, "");
      plot.Mark(point.spent, *point.recall, Plot::Shape::kDiamond, 4.5, "fill-third");
    }
  }
  plot.Line(line, "good");
  std::string rows = "<tr>";
  for (const std::string& name : kHeader) {
    rows += "<th>" + HtmlText(name) + "</th>";
  }
  rows += "</tr>";
  for (const BudgetPoint& point : curve.points) {
    rows += "<tr>";
    for (const std::string& cell : Cells(point)) {
      rows += "<td>" + HtmlText(cell) + "</td>";
    }
    rows += "</tr>";
  }
  std::string notes;
  for (const std::string& note : curve.notes) {
    notes += "<p class=\"soft\">" + HtmlText(note) + "</p>";
  }
  return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
         "'unsafe-inline'\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
         "<meta name=\"referrer\" content=\"no-referrer\"><title>Cost against quality</title>"
         "<style>" +
         StyleSheet() + "</style></head><body><main><h1>Cost against quality of a cascade</h1>\n" +
         "<p class=\"lead\">" + HtmlText(Lead(curve)) + ". Screen: <b>" + HtmlText(curve.screen) +
         "</b>. Reasoner: <b>" + HtmlText(curve.reasoner) + "</b>.</p>" +
         Section("curve", "What a budget buys",
                 FigureBox(plot.Svg(), "Up and to the left is better.",
                           HtmlText(Conclusion(curve)) + " Lines are 95 % intervals of recall.") +
                     "<div class=\"scroll\"><table>" + rows + "</table></div>" + notes) +
         "</main></body></html>\n";
}

}  // namespace safeguard::eval
