// Where the judge is good and where it is not: by rule, language, surface and tag.
#include <fmt/format.h>

#include <map>

#include "eval/intervals.h"
#include "eval/report/html/html_text.h"
#include "eval/report/html/sections.h"

namespace safeguard::eval {
namespace {

constexpr std::size_t kRowsMax = 40;
constexpr std::size_t kNameBytesMax = 80;

// A share with its bar and its interval, in two cells.
std::string ShareCells(std::size_t part, std::size_t whole, const char* colour) {
  const std::optional<Interval> interval = WilsonInterval(part, whole);
  const std::optional<double> share =
      whole == 0 ? std::nullopt
                 : std::optional(static_cast<double>(part) / static_cast<double>(whole));
  return fmt::format("<td class=\"b\">{}</td><td class=\"v\">{} <span>{}</span></td>",
                     ShareBar(share, interval, colour), ShareText(share), IntervalText(interval));
}

std::string More(std::size_t shown, std::size_t all) {
  return all > shown ? fmt::format(
                           "<p class=\"soft\">and {} more; the JSON report lists "
                           "them.</p>",
                           CountText(all - shown))
                     : "";
}

std::string Rules(const std::vector<RuleResult>& rules) {
  if (rules.empty()) {
    return "";
  }
  std::string rows;
  std::size_t shown = 0;
  for (const RuleResult& rule : rules) {
    if (shown == kRowsMax) {
      break;
    }
    ++shown;
    rows += fmt::format(
        "<tr><td><code>{}</code></td><td class=\"n\">{}</td>{}{}<td "
        "class=\"v\">{}</td></tr>",
        HtmlText(Excerpt(rule.rule, kNameBytesMax)), CountText(rule.support),
        ShareCells(rule.detected, rule.support, "fill-bad"),
        ShareCells(rule.found, rule.support, "fill-third"), ShareText(rule.precision));
  }
  return "<h3>By rule</h3><div class=\"scroll\"><table><tr><th>rule</th><th class=\"n\">cases</th>"
         "<th colspan=\"2\">judged a violation</th><th colspan=\"2\">with this rule cited</th><th>"
         "citations right</th></tr>" +
         rows + "</table></div>" + More(shown, rules.size());
}

std::string Groups(const std::string& title, const std::vector<GroupResult>& groups) {
  if (groups.empty()) {
    return "";
  }
  std::string rows;
  std::size_t shown = 0;
  for (const GroupResult& group : groups) {
    if (shown == kRowsMax) {
      break;
    }
    ++shown;
    const Confusion& c = group.tally.with_undetermined;
    rows += fmt::format("<tr><td>{}</td><td class=\"n\">{}</td>{}{}<td class=\"n\">{}</td></tr>",
                        HtmlText(Excerpt(group.name, kNameBytesMax)), CountText(group.cases),
                        ShareCells(c.true_positive, c.positives(), "fill-bad"),
                        ShareCells(c.false_positive, c.negatives(), "fill-good"),
                        group.tally.undetermined == 0 ? "–" : CountText(group.tally.undetermined));
  }
  return fmt::format(
             "<h3>By {0}</h3><div class=\"scroll\"><table><tr><th>{0}</th><th "
             "class=\"n\">cases</th><th colspan=\"2\">recall</th><th colspan=\"2\">false "
             "alarms</th><th class=\"n\">undetermined</th></tr>",
             HtmlText(title)) +
         rows + "</table></div>" + More(shown, groups.size());
}

// "functionality:slur_h" belongs to the kind "functionality".
std::map<std::string, std::vector<GroupResult>> ByKind(const std::vector<GroupResult>& tags) {
  std::map<std::string, std::vector<GroupResult>> kinds;
  for (const GroupResult& tag : tags) {
    const std::size_t colon = tag.name.find(':');
    GroupResult named = tag;
    std::string kind = "tag";
    if (colon != std::string::npos && colon > 0 && colon + 1 < tag.name.size()) {
      kind = Excerpt(tag.name.substr(0, colon), kNameBytesMax);
      named.name = tag.name.substr(colon + 1);
    }
    kinds[kind].push_back(std::move(named));
  }
  return kinds;
}

}  // namespace

std::string SlicesSection(const Report& report) {
  std::string html = Rules(report.rules) + Groups("language", report.languages) +
                     Groups("surface", report.surfaces);
  for (const auto& [kind, groups] : ByKind(report.tags)) {
    html += Groups(kind, groups);
  }
  return html.empty()
             ? ""
             : "<p class=\"soft\">Lines are 95 % Wilson intervals; undetermined cases count "
               "as wrong. Small groups have long lines: they prove little.</p>" +
                   html;
}

}  // namespace safeguard::eval
