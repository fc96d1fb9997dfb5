// The cases that teach most, and where everything came from.
#include <fmt/format.h>

#include "eval/report/html/html_text.h"
#include "eval/report/html/sections.h"

namespace safeguard::eval {
namespace {

constexpr std::size_t kFieldBytesMax = 200;
constexpr std::size_t kPolicyBytesShown = std::size_t{64} << 10;

std::string Tags(const std::vector<std::string>& names) {
  std::string html;
  for (const std::string& name : names) {
    html += " <span class=\"tag\">" + HtmlText(Excerpt(name, kFieldBytesMax)) + "</span>";
  }
  return html.empty() ? " –" : html;
}

std::string CaseHtml(const TellingCase& each, const char* kind) {
  std::string html =
      fmt::format("<div class=\"case {}\"><div class=\"head\"><b>{}</b><span>score {}</span>", kind,
                  HtmlText(Excerpt(each.name, kFieldBytesMax)), ShareText(each.score));
  if (!each.label.empty()) {
    html += "<span>label " + HtmlText(Excerpt(each.label, kFieldBytesMax)) + "</span>";
  }
  if (!each.rules.empty()) {
    html += "<span>expected" + Tags(each.rules) + "</span>";
  }
  if (!each.cited.empty()) {
    html += "<span>cited" + Tags(each.cited) + "</span>";
  }
  if (!each.reason.empty()) {
    html += "<span>" + HtmlText(each.reason) + "</span>";
  }
  html += "</div>";
  if (!each.excerpt.empty()) {
    html += "<blockquote><bdi>" + HtmlText(each.excerpt) + "</bdi></blockquote>";
  }
  return html + "</div>";
}

std::string Cases(const char* title, const char* lead, const std::vector<TellingCase>& cases,
                  const char* kind) {
  if (cases.empty()) {
    return "";
  }
  std::string html = fmt::format("<h3>{}</h3><p class=\"soft\">{}</p>", title, lead);
  for (const TellingCase& each : cases) {
    html += CaseHtml(each, kind);
  }
  return html;
}

std::string Row(const char* name, const std::string& html) {
  return fmt::format("<tr><th>{}</th><td>{}</td></tr>", name, html);
}

std::string Code(std::string_view text) {
  return "<code>" + HtmlText(text) + "</code>";
}

std::string PolicyText(const Report& report) {
  std::string_view text = report.policy_text;
  if (text.empty()) {
    return "";
  }
  std::string cut;
  if (text.size() > kPolicyBytesShown) {
    text = text.substr(0, kPolicyBytesShown);
    cut = fmt::format("<p class=\"soft\">The first {} of {} bytes.</p>",
                      CountText(kPolicyBytesShown), CountText(report.policy_text.size()));
  }
  return "<details><summary>The policy as it was judged by</summary>" + cut + "<pre>" +
         HtmlText(text) + "</pre></details>";
}

}  // namespace

std::string ErrorsSection(const Report& report) {
  return Cases("False alarms", "Safe by their label, highest score first.",
               report.errors.false_alarms, "alarm") +
         Cases("Misses", "Violations by their label that were judged safe, lowest score first.",
               report.errors.misses, "miss") +
         Cases("Undetermined", "Not decided, in order of the data.", report.errors.undetermined,
               "open");
}

std::string ProvenanceSection(const Report& report) {
  std::string html = "<div class=\"scroll\"><table>";
  html += Row("policy", HtmlText(Excerpt(report.policy.id, kFieldBytesMax)) + " version " +
                            HtmlText(Excerpt(report.policy.version, kFieldBytesMax)) + "<br>" +
                            Code(report.policy.hash));
  html += Row("data", HtmlText(Excerpt(report.dataset_name, kFieldBytesMax)) + ", " +
                          HtmlText(Excerpt(report.dataset_path, kFieldBytesMax)) + "<br>" +
                          Code(report.dataset_hash));
  for (const std::string& model : report.models) {
    html += Row("judge and model", Code(model));
  }
  if (report.thresholds) {
    html += Row("thresholds of the policy",
                fmt::format("violation at or above {:g}, safe below {:g}",
                            report.thresholds->violation, report.thresholds->safe));
  }
  html +=
      Row("method",
          report.options.folds > 0
              ? fmt::format("{}-fold cross-validation, seed {}: every case was judged by a judge "
                            "that had not learned it",
                            report.options.folds, report.options.fold_seed)
              : "the policy was prepared once");
  const BootstrapOptions& bootstrap = report.options.bootstrap;
  html += Row("intervals", fmt::format("{:g} % percentile bootstrap, {} resamples{}, seed {}",
                                       bootstrap.confidence * 100, CountText(bootstrap.resamples),
                                       bootstrap.stratified ? ", stratified" : "", bootstrap.seed));
  html += Row("records", fmt::format("{} read, {} unreadable, {} without a label, {} not judged",
                                     CountText(report.records), CountText(report.line_errors),
                                     CountText(report.unlabelled), CountText(report.not_judged)));
  return html + "</table></div>" + PolicyText(report);
}

}  // namespace safeguard::eval
