// The report for a wiki, a ticket or a pull request.
#include <fmt/format.h>

#include <cmath>

#include "eval/intervals.h"
#include "eval/report.h"

namespace safeguard::eval {
namespace {

constexpr std::size_t kNameBytesMax = 120;
constexpr std::size_t kRowsMax = 40;

// One line of text that Markdown and HTML take as text, in a table cell too.
std::string Plain(std::string_view text, std::size_t bytes_max = kNameBytesMax) {
  std::string plain;
  for (const char c : Excerpt(text, bytes_max)) {
    switch (c) {
      case '&':
        plain += "&amp;";
        break;
      case '<':
        plain += "&lt;";
        break;
      case '>':
        plain += "&gt;";
        break;
      case '@':  // a mention on GitHub
        plain += "&#64;";
        break;
      case ':':  // a bare address becomes a link
        plain += "&#58;";
        break;
      case '\\':
      case '`':
      case '*':
      case '_':
      case '~':
      case '[':
      case ']':
      case '(':
      case ')':
      case '#':
      case '|':
      case '!':
      case '+':
      case '-':
      case '.':
      case '=':
      case '{':
      case '}':
      case '$':
        plain += '\\';
        [[fallthrough]];
      default:
        plain += c;
    }
  }
  return plain.empty() ? "–" : plain;
}

std::string Share(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? fmt::format("{:.3f}", *value) : "–";
}

std::string Range(const std::optional<Interval>& interval) {
  return interval ? fmt::format("{:.3f}–{:.3f}", interval->low, interval->high) : "–";
}

std::string Counted(std::size_t part, std::size_t whole) {
  if (whole == 0) {
    return "–";
  }
  const std::optional<Interval> interval = WilsonInterval(part, whole);
  return fmt::format("{:.2f} ({:.2f}–{:.2f})",
                     static_cast<double>(part) / static_cast<double>(whole), interval->low,
                     interval->high);
}

std::string Headline(const Report& report) {
  const DecisionFigures& f = report.with_undetermined;
  std::string text = "| | value | interval |\n|---|---:|---:|\n";
  const auto row = [&text](const std::string& name, const Figure& figure) {
    text += fmt::format("| {} | {} | {} |\n", name, Share(figure.value), Range(figure.interval));
  };
  row("Recall", f.recall);
  row("Precision", f.precision);
  row("F1", f.f1);
  row("False alarm rate", f.false_alarm_rate);
  row("ROC AUC", report.roc_auc);
  row("PR AUC (average precision)", report.average_precision);
  for (std::size_t i = 0; i < report.recall_at_rates.size(); ++i) {
    row(fmt::format("Recall at {:g} % false alarms",
                    report.options.ranking.false_alarm_rates[i] * 100),
        report.recall_at_rates[i]);
  }
  row("Cohen's kappa", f.kappa);
  row("Decided", {.value = report.coverage, .interval = std::nullopt});
  if (report.answers.parse_rate) {
    row("Readable answers",
        {.value = report.answers.parse_rate, .interval = report.answers.interval});
  }
  if (report.reliability) {
    row("Calibration error, equal mass",
        {.value = report.reliability->expected_calibration_error, .interval = std::nullopt});
    row("the same by chance alone",
        {.value = report.calibration_error_by_chance, .interval = std::nullopt});
  }
  return text + "\nUndetermined cases count as wrong; – is not defined on these data.\n";
}

std::string Matrix(const Report& report) {
  const Confusion& c = report.decided.confusion;
  const Confusion& all = report.with_undetermined.confusion;
  return fmt::format(
      "\n| label | judged a violation | judged safe | undetermined |\n|---|---:|---:|---:|\n"
      "| violation | {} | {} | {} |\n| safe | {} | {} | {} |\n",
      c.true_positive, c.false_negative, all.false_negative - c.false_negative, c.false_positive,
      c.true_negative, all.false_positive - c.false_positive);
}

std::string Rules(const std::vector<RuleResult>& rules) {
  if (rules.empty()) {
    return "";
  }
  std::string text =
      "\n### By rule\n\n| rule | cases | judged a violation | with this rule cited |\n"
      "|---|---:|---:|---:|\n";
  for (std::size_t i = 0; i < std::min(rules.size(), kRowsMax); ++i) {
    text += fmt::format("| {} | {} | {} | {} |\n", Plain(rules[i].rule), rules[i].support,
                        Counted(rules[i].detected, rules[i].support),
                        Counted(rules[i].found, rules[i].support));
  }
  return text;
}

std::string Groups(const char* title, const std::vector<GroupResult>& groups) {
  if (groups.empty()) {
    return "";
  }
  std::string text = fmt::format(
      "\n### By {0}\n\n| {0} | cases | recall | false alarms |\n|---|---:|---:|---:|\n", title);
  for (std::size_t i = 0; i < std::min(groups.size(), kRowsMax); ++i) {
    const Confusion& c = groups[i].tally.with_undetermined;
    text += fmt::format("| {} | {} | {} | {} |\n", Plain(groups[i].name), groups[i].cases,
                        Counted(c.true_positive, c.positives()),
                        Counted(c.false_positive, c.negatives()));
  }
  return text;
}

std::string Cases(const char* title, const std::vector<TellingCase>& cases) {
  std::string text;
  for (const TellingCase& each : cases) {
    text += fmt::format(
        "| {} | {} | {} |\n", Plain(each.name), Share(each.score),
        each.excerpt.empty() ? Plain(each.reason) : Plain(each.excerpt, each.excerpt.size()));
  }
  return text.empty()
             ? ""
             : fmt::format("\n### {}\n\n| case | score | content |\n|---|---:|---|\n", title) +
                   text;
}

std::string Provenance(const Report& report) {
  std::string text = fmt::format(
      "\n## Where this comes from\n\n- policy {} version {}, hash `{}`\n- data {}, hash `{}`\n",
      Plain(report.policy.id), Plain(report.policy.version), report.policy.hash,
      Plain(report.dataset_name + ", " + report.dataset_path, 2 * kNameBytesMax),
      report.dataset_hash);
  for (const std::string& model : report.models) {
    text += "- judge " + Plain(model, 2 * kNameBytesMax) + "\n";
  }
  if (report.options.folds > 0) {
    text += fmt::format("- {}-fold cross-validation, seed {}\n", report.options.folds,
                        report.options.fold_seed);
  }
  const BootstrapOptions& bootstrap = report.options.bootstrap;
  return text + fmt::format("- {:g} % bootstrap intervals, {} resamples, seed {}\n",
                            bootstrap.confidence * 100, bootstrap.resamples, bootstrap.seed);
}

}  // namespace

std::string RenderMarkdown(const Report& report) {
  std::string text = fmt::format(
      "# {}: evaluation\n\n{} labelled cases of {} ({} violations, {} safe){}\n\n",
      Plain(report.policy_name.empty() ? report.policy.id : report.policy_name), report.cases,
      Plain(report.dataset_name), report.positives, report.cases - report.positives,
      report.options.date.empty() ? "." : ", " + Plain(report.options.date) + ".");
  text += Headline(report);
  if (!report.notes.empty()) {
    text += "\n**Before you believe a figure**\n\n";
    for (const std::string& note : report.notes) {
      text += "- " + Plain(note, note.size()) + "\n";
    }
  }
  text += "\n## Decisions\n" + Matrix(report) + Rules(report.rules) +
          Groups("language", report.languages) + Groups("surface", report.surfaces) +
          Groups("tag", report.tags);
  text += Cases("False alarms, highest score first", report.errors.false_alarms) +
          Cases("Misses, lowest score first", report.errors.misses) +
          Cases("Undetermined", report.errors.undetermined);
  return text + Provenance(report);
}

}  // namespace safeguard::eval
