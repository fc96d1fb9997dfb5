#include <fmt/format.h>

#include "eval/report/html/html_text.h"
#include "eval/report/html/sections.h"

namespace safeguard::eval {
namespace {

constexpr std::size_t kTitleBytesMax = 120;

std::string Title(const Report& report) {
  return HtmlText(
      Excerpt(report.policy_name.empty() ? report.policy.id : report.policy_name, kTitleBytesMax));
}

std::string Lead(const Report& report) {
  std::string judges;
  for (const std::string& model : report.models) {
    // The hash stands under "Where this comes from".
    const std::size_t hash = model.rfind(' ');
    judges +=
        (judges.empty() ? "" : ", ") + HtmlText(Excerpt(model.substr(0, hash), kTitleBytesMax));
  }
  return fmt::format(
      "<p class=\"lead\">{} {} of <b>{}</b> ({} violations, {} safe), judged by <b>{}</b>.{}</p>",
      CountText(report.cases), report.cases == 1 ? "labelled case" : "labelled cases",
      HtmlText(Excerpt(report.dataset_name, kTitleBytesMax)), CountText(report.positives),
      CountText(report.cases - report.positives), judges.empty() ? "nothing" : judges,
      report.options.date.empty() ? "" : " " + HtmlText(report.options.date) + ".");
}

}  // namespace

std::string Section(const char* id, const char* title, const std::string& body) {
  return body.empty()
             ? ""
             : fmt::format("<section id=\"{}\"><h2>{}</h2>\n", id, title) + body + "</section>\n";
}

std::string FigureBox(const std::string& drawing, const char* title, const std::string& caption) {
  return "<figure>" + drawing + "<figcaption><b>" + title + "</b> " + caption +
         "</figcaption></figure>\n";
}

std::string RenderHtml(const Report& report, std::span<const QualityPoint> others) {
  // The policy of the page itself: even if something slipped through, nothing is run or fetched.
  std::string html =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      "<meta name=\"referrer\" content=\"no-referrer\"><title>" +
      Title(report) + " – evaluation</title><style>";
  html += StyleSheet();
  html += "</style></head><body><main><h1>" + Title(report) + "</h1>\n" + Lead(report);
  html += HeadlineSection(report) + NotesSection(report);
  html += Section("decisions", "Decisions", DecisionsSection(report));
  html += Section("scores", "Scores", ScoresSection(report));
  html += Section("slices", "Where it is good and where it is not", SlicesSection(report));
  html += Section("errors", "The most telling errors", ErrorsSection(report));
  html += Section("cost", "What it took", CostSection(report, others));
  html += Section("provenance", "Where this comes from", ProvenanceSection(report));
  return html + "</main></body></html>\n";
}

}  // namespace safeguard::eval
