// The top of the page: what to quote, and what to know before quoting it.
#include <fmt/format.h>

#include "eval/report/html/html_text.h"
#include "eval/report/html/sections.h"

namespace safeguard::eval {
namespace {

struct Card {
  const char* name;
  const Figure& figure;
  const char* colour;
  std::string say;
};

std::string CardHtml(const Card& card) {
  const std::string interval = IntervalText(card.figure.interval);
  return fmt::format(
      "<div class=\"card\"><div class=\"name\">{}</div><div class=\"value\">{}{}</div>{}"
      "<div class=\"say\">{}</div></div>",
      card.name, ShareText(card.figure.value),
      interval.empty() ? "" : "<small>" + interval + "</small>",
      ShareBar(card.figure.value, card.figure.interval, card.colour), card.say);
}

std::string OfHundred(const std::optional<double>& share) {
  return share ? fmt::format("{:.0f} of 100", *share * 100) : "unknown how many";
}

}  // namespace

std::string HeadlineSection(const Report& report) {
  const DecisionFigures& f = report.with_undetermined;
  const std::string undetermined =
      report.undetermined > 0 ? " Undetermined cases count as wrong." : "";
  std::string html = "<div class=\"cards\">";
  html += CardHtml({"Recall", f.recall, "fill-bad",
                    OfHundred(f.recall.value) + " violations are found." + undetermined});
  html += CardHtml(
      {"Precision", f.precision, "fill-bad",
       OfHundred(f.precision.value) + " alarms are right, at this data's share of violations."});
  html += CardHtml({"F1", f.f1, "fill-third", "Recall and precision in one figure."});
  html += CardHtml({"False alarms", f.false_alarm_rate, "fill-good",
                    OfHundred(f.false_alarm_rate.value) + " safe contents raise an alarm."});
  html += CardHtml({"ROC AUC", report.roc_auc, "fill-third",
                    "How well scores separate the two, whatever the threshold; 0.5 is chance."});
  html += CardHtml({"PR AUC", report.average_precision, "fill-third",
                    "Average precision; chance is the share of violations."});
  const Figure coverage{.value = report.coverage, .interval = std::nullopt};
  html += CardHtml(
      {"Decided", coverage, "fill-third",
       fmt::format("{} of {} cases; the rest are undetermined, never safe.",
                   CountText(report.cases - report.undetermined), CountText(report.cases))});
  if (report.answers.parse_rate) {
    const Figure parse{.value = report.answers.parse_rate, .interval = report.answers.interval};
    html += CardHtml(
        {"Readable answers", parse, "fill-third",
         fmt::format("{} of {} answers of the model held a verdict.",
                     CountText(report.answers.readable), CountText(report.answers.asked))});
  } else {
    const Figure kappa = f.kappa;
    html += CardHtml({"Agreement (kappa)", kappa, "fill-third",
                      "With the labels, beyond chance; 1 is full agreement, 0 is chance."});
  }
  return html + "</div>";
}

std::string NotesSection(const Report& report) {
  std::string items;
  const BootstrapOptions& bootstrap = report.options.bootstrap;
  if (bootstrap.resamples > 0) {
    items += fmt::format(
        "<li>Ranges such as 0.77–0.92 are {:g} % bootstrap intervals: how far the figure would "
        "move "
        "on another sample of the same kind. They say nothing about other kinds of content.</li>",
        bootstrap.confidence * 100);
  }
  for (const std::string& note : report.notes) {
    items += "<li>" + HtmlText(note) + "</li>";
  }
  return items.empty() ? ""
                       : "<div class=\"notes\"><h3>Before you believe a figure</h3><ul>" + items +
                             "</ul></div>";
}

std::string DecisionsSection(const Report& report) {
  const Confusion& c = report.decided.confusion;
  const Confusion& all = report.with_undetermined.confusion;
  const auto cell = [](const char* kind, std::size_t count, std::size_t of, const char* what) {
    const double share = of == 0 ? 0 : static_cast<double>(count) / static_cast<double>(of);
    return fmt::format("<td class=\"{}\" style=\"--s:{:.3f}\"><b>{}</b>{}<br>{}</td>", kind, share,
                       CountText(count), what,
                       of == 0 ? "–" : fmt::format("{:.0f} %", share * 100));
  };
  std::string html =
      "<div class=\"pair\"><div><div class=\"scroll\"><table "
      "class=\"matrix\"><tr><th></th><th>judged a violation</th>"
      "<th>judged safe</th><th>undetermined</th></tr><tr><th class=\"row\">violation</th>";
  html += cell("right", c.true_positive, all.positives(), "found");
  html += cell("wrong", c.false_negative, all.positives(), "missed");
  html += cell("open", all.false_negative - c.false_negative, all.positives(), "open");
  html += "</tr><tr><th class=\"row\">safe</th>";
  html += cell("wrong", c.false_positive, all.negatives(), "false alarm");
  html += cell("right", c.true_negative, all.negatives(), "rightly safe");
  html += cell("open", all.false_positive - c.false_positive, all.negatives(), "open");
  html +=
      "</tr></table></div><p class=\"soft\">Rows: what the label says. Percentages are of the "
      "row.</p></div>";
  if (!report.undetermined_reasons.empty()) {
    html +=
        "<div><h3>Undetermined, by kind</h3><table><tr><th>kind</th><th class=\"n\">cases</th><th>"
        "share of all cases</th></tr>";
    for (const auto& [reason, count] : report.undetermined_reasons) {
      const double share = static_cast<double>(count) / static_cast<double>(report.cases);
      html += fmt::format("<tr><td>{}</td><td class=\"n\">{}</td><td class=\"b\">{}</td></tr>",
                          HtmlText(reason), CountText(count),
                          ShareBar(share, std::nullopt, "fill-third"));
    }
    html += "</table></div>";
  }
  return html + "</div>";
}

}  // namespace safeguard::eval
