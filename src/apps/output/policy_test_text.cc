#include "apps/output/policy_test_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "apps/output/display_text.h"
#include "apps/output/table.h"
#include "eval/breakdown.h"

namespace safeguard::apps {
namespace {

using eval::TestGroup;
using eval::TestResult;
using eval::TestStatus;

constexpr std::size_t kExcerptBytes = 160;
constexpr std::size_t kNameColumns = 30;

std::string Percent(double share) {
  return fmt::format("{:.1f} %", share * 100);
}

std::string Signed(const std::optional<double>& value) {
  return value ? fmt::format("{:+.2f}", *value) : "-";
}

std::string Joined(const std::vector<std::string>& parts) {
  std::string joined;
  for (const std::string& part : parts) {
    joined += (joined.empty() ? "" : ", ") + Printable(part);
  }
  return joined.empty() ? "-" : joined;
}

std::string Heading(const std::string& text, bool color) {
  return "\n" + Styled(text, Style::kBold, color) + "\n";
}

std::string GroupTable(const std::string& title, const std::vector<TestGroup>& groups,
                       const TextLayout& layout, bool rules) {
  if (groups.empty()) {
    return {};
  }
  const bool gaps = std::ranges::any_of(
      groups, [](const TestGroup& group) { return group.known_gaps + group.unexpected > 0; });
  std::vector<Column> columns = {{title}, {"TESTS", true}, {"PASSED", true}, {"FAILED", true}};
  if (gaps) {
    columns.push_back({"KNOWN GAPS", true});
  }
  if (rules) {
    columns.push_back({"CITED", true});
  }
  std::vector<std::vector<Cell>> rows;
  for (const TestGroup& group : groups) {
    std::vector<Cell> row = {
        {Printable(group.name), Style::kBold},
        {std::to_string(group.tests)},
        {std::to_string(group.passed + group.unexpected)},
        {std::to_string(group.failed), group.failed > 0 ? Style::kRed : Style::kDim}};
    if (gaps) {
      row.push_back({std::to_string(group.known_gaps)});
    }
    if (rules) {
      row.push_back({group.citable == 0 ? "-" : fmt::format("{}/{}", group.cited, group.citable)});
    }
    rows.push_back(std::move(row));
  }
  return "\n" + RenderTable(columns, rows, layout.width, layout.color);
}

std::string ContentText(const eval::Record& record) {
  std::string text;
  for (const moderation::Message& message : record.content.messages) {
    text += (text.empty() ? "" : " / ") + message.text;
  }
  return eval::Excerpt(text, kExcerptBytes);
}

std::string FailureText(const PolicyTestReport& report, const TextLayout& layout) {
  std::vector<std::size_t> failed;
  for (std::size_t i = 0; i < report.run.results.size(); ++i) {
    if (report.run.results[i].status == TestStatus::kFailed ||
        report.run.results[i].status == TestStatus::kUnexpectedPass) {
      failed.push_back(i);
    }
  }
  if (failed.empty() || layout.failures_max == 0) {
    return {};
  }
  // What is furthest on the wrong side first.
  std::ranges::stable_sort(
      failed, {}, [&report](std::size_t i) { return report.run.results[i].margin.value_or(-2); });
  std::string out;
  for (std::size_t f = 0; f < std::min(failed.size(), layout.failures_max); ++f) {
    const TestResult& result = report.run.results[failed[f]];
    const eval::PolicyTest& test = report.set.tests[failed[f]];
    const bool surprise = result.status == TestStatus::kUnexpectedPass;
    out += fmt::format("{} {}: {}\n",
                       Styled(surprise ? "PASSES" : "FAILED",
                              surprise ? Style::kYellow : Style::kRed, layout.color),
                       Styled(Printable(test.name), Style::kBold, layout.color),
                       surprise ? std::string("it is tagged known-gap; take the tag off")
                                : Printable(result.why) + ", margin " + Signed(result.margin));
    if (!test.record.rule_ids.empty()) {
      out += Wrap("Rules: " + Joined(test.record.rule_ids), layout.width, 4);
    }
    out += Wrap(ContentText(test.record), layout.width, 4);
  }
  if (failed.size() > layout.failures_max) {
    out += fmt::format("and {} more; --failures {} shows all\n",
                       failed.size() - layout.failures_max, failed.size());
  }
  return Heading("Failing tests, furthest from passing first", layout.color) + out;
}

std::string MutationText(const PolicyTestReport& report, const TextLayout& layout) {
  std::vector<std::vector<Cell>> rows;
  std::size_t untested = 0;
  std::size_t cut = 0;
  for (std::size_t m = 0; m < report.mutants.size(); ++m) {
    const eval::Mutant& mutant = report.mutants[m];
    const eval::MutantResult& result = report.mutation.results[m];
    const bool tested = result.tested();
    cut += mutant.cut ? 1 : 0;
    untested += mutant.cut && !tested ? 1 : 0;
    std::string remark = result.tests.empty() ? "" : Joined(result.tests);
    if (!mutant.cut) {
      remark = "cannot be taken out alone";
    } else if (!mutant.cut->also.empty()) {
      remark += (remark.empty() ? "" : "; ") + ("took along " + Joined(mutant.cut->also));
    }
    rows.push_back({{Shorten(Printable(mutant.clause.name), kNameColumns), Style::kBold},
                    {moderation::ToString(mutant.clause.kind)},
                    {std::to_string(mutant.clause.line), Style::kDim},
                    {!mutant.cut ? "-"
                     : tested    ? "tested"
                                 : "UNTESTED",
                     tested ? Style::kGreen : Style::kRed},
                    {mutant.cut ? std::to_string(result.changed) : "-"},
                    {mutant.cut ? fmt::format("{:.2f}", result.moved) : "-"},
                    {remark}});
  }
  return Heading(fmt::format("Mutation: each clause taken out in turn, {} tests run again",
                             report.set.tests.size()),
                 layout.color) +
         RenderTable({{"CLAUSE"},
                      {"KIND"},
                      {"LINE", true},
                      {""},
                      {"CHANGED", true},
                      {"SCORE MOVED", true},
                      {"TESTS THAT CHANGE", false, true}},
                     rows, layout.width, layout.color) +
         fmt::format("{} of {} clauses are tested; {} could be deleted and no test would say so\n",
                     cut - untested, report.mutants.size(), untested);
}

std::string AblationText(const PolicyTestReport& report, const TextLayout& layout) {
  std::vector<std::vector<Cell>> rows;
  std::size_t cited = 0;
  std::size_t unfaithful = 0;
  for (const CitationRate& rate : CitationRates(report.ablations)) {
    const std::size_t known = rate.cited - rate.unknown;
    const std::size_t empty = known - rate.faithful;
    cited += known;
    unfaithful += empty;
    rows.push_back(
        {{Printable(rate.rule), Style::kBold},
         {std::to_string(rate.cited)},
         {std::to_string(rate.faithful)},
         {std::to_string(empty), empty > 0 ? Style::kRed : Style::kDim},
         {known == 0 ? "-" : Percent(static_cast<double>(empty) / static_cast<double>(known))}});
  }
  if (rows.empty()) {
    return Heading("Ablation: no verdict cites a rule", layout.color);
  }
  return Heading("Ablation: verdicts asked for again without the rule that they cite",
                 layout.color) +
         RenderTable({{"RULE"},
                      {"CITED", true},
                      {"CARRIED IT", true},
                      {"UNFAITHFUL", true},
                      {"RATE", true}},
                     rows, layout.width, layout.color) +
         fmt::format("{} of {} citations are unfaithful: without the rule nothing moves\n",
                     unfaithful, cited);
}

nlohmann::ordered_json GroupsJson(const std::vector<TestGroup>& groups, bool rules) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const TestGroup& group : groups) {
    nlohmann::ordered_json item = {{"name", group.name},
                                   {"tests", group.tests},
                                   {"passed", group.passed},
                                   {"failed", group.failed},
                                   {"known_gaps", group.known_gaps},
                                   {"unexpected_passes", group.unexpected}};
    if (rules) {
      item["judged_violation"] = group.citable;
      item["rule_cited"] = group.cited;
    }
    list.push_back(std::move(item));
  }
  return list;
}

nlohmann::ordered_json Number(const std::optional<double>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}

nlohmann::ordered_json TestsJson(const PolicyTestReport& report) {
  nlohmann::ordered_json tests = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < report.set.tests.size(); ++i) {
    const eval::PolicyTest& test = report.set.tests[i];
    const TestResult& result = report.run.results[i];
    nlohmann::ordered_json item = {
        {"name", test.name},
        {"source", test.is_example ? "example" : "golden"},
        {"status", eval::ToString(result.status)},
        {"expected", moderation::ToString(*test.record.expected)},
        {"outcome", result.status == TestStatus::kNotRun
                        ? nlohmann::ordered_json(nullptr)
                        : nlohmann::ordered_json(moderation::ToString(result.verdict.outcome))},
        {"score", Number(result.verdict.score)},
        {"margin", Number(result.margin)},
        {"rules", test.record.rule_ids},
        {"cited", result.verdict.rule_ids},
        {"language", test.record.content.language},
        {"why", result.why}};
    tests.push_back(std::move(item));
  }
  return tests;
}

nlohmann::ordered_json MutationJson(const PolicyTestReport& report) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (std::size_t m = 0; m < report.mutants.size(); ++m) {
    const eval::Mutant& mutant = report.mutants[m];
    const eval::MutantResult& result = report.mutation.results[m];
    nlohmann::ordered_json item = {{"clause", mutant.clause.name},
                                   {"kind", moderation::ToString(mutant.clause.kind)},
                                   {"line", mutant.clause.line},
                                   {"tested", nullptr}};
    if (mutant.cut) {
      item["tested"] = result.tested();
      item["tests_changed"] = result.changed;
      item["tests_broken"] = result.broken;
      item["changed"] = result.tests;
      item["score_moved"] = result.moved;
      item["score_moved_in"] = result.moved_test;
      item["took_along"] = mutant.cut->also;
    } else {
      item["problem"] = mutant.problem;
    }
    list.push_back(std::move(item));
  }
  return list;
}

nlohmann::ordered_json AblationJson(const PolicyTestReport& report) {
  nlohmann::ordered_json rules = nlohmann::ordered_json::array();
  for (const CitationRate& rate : CitationRates(report.ablations)) {
    rules.push_back({{"rule", rate.rule},
                     {"cited", rate.cited},
                     {"faithful", rate.faithful},
                     {"unfaithful", rate.cited - rate.unknown - rate.faithful}});
  }
  nlohmann::ordered_json verdicts = nlohmann::ordered_json::array();
  for (const eval::TestAblation& each : report.ablations) {
    const eval::RuleAblation& a = each.ablation;
    nlohmann::ordered_json item = {{"test", report.set.tests[each.test].name},
                                   {"rule", a.rule},
                                   {"faithful", nullptr},
                                   {"outcome", moderation::ToString(a.before)},
                                   {"score", Number(a.score_before)}};
    if (a.problem.empty()) {
      item["faithful"] = a.faithful;
      item["outcome_without"] = moderation::ToString(a.after);
      item["score_without"] = Number(a.score_after);
      item["cited_without"] = a.rules_after;
    } else {
      item["problem"] = a.problem;
    }
    verdicts.push_back(std::move(item));
  }
  return {{"rules", std::move(rules)}, {"verdicts", std::move(verdicts)}};
}

}  // namespace

std::vector<CitationRate> CitationRates(std::span<const eval::TestAblation> ablations) {
  std::map<std::string, CitationRate> rates;
  for (const eval::TestAblation& each : ablations) {
    CitationRate& rate = rates[each.ablation.rule];
    rate.rule = each.ablation.rule;
    ++rate.cited;
    rate.faithful += each.ablation.faithful ? 1 : 0;
    rate.unknown += each.ablation.problem.empty() ? 0 : 1;
  }
  std::vector<CitationRate> all;
  for (auto& [rule, rate] : rates) {
    all.push_back(std::move(rate));
  }
  return all;
}

std::string PolicyTestText(const PolicyTestReport& report, const TextLayout& layout) {
  const TestGroup& all = report.summary.all;
  std::string out =
      Styled(fmt::format("{} ({} {})", Printable(report.policy.name), Printable(report.policy.id),
                         Printable(report.policy.version)),
             Style::kBold, layout.color) +
      "\n";
  for (const std::string& note : report.notes) {
    out += Wrap(note, layout.width, 0);
  }
  out += GroupTable("RULE", report.summary.rules, layout, true) +
         GroupTable("LABEL", report.summary.labels, layout, false) +
         GroupTable("LANGUAGE", report.summary.languages, layout, false) +
         FailureText(report, layout);
  if (report.mutated) {
    out += MutationText(report, layout);
  }
  if (report.ablated) {
    out += AblationText(report, layout);
  }
  std::string gaps;
  if (all.known_gaps + all.unexpected > 0) {
    gaps = fmt::format(", {} known gaps", all.known_gaps);
  }
  return out + fmt::format("\n{}: {} passed, {} failed{}: {} of at least {}\n",
                           Styled(report.passed() ? "PASSED" : "FAILED",
                                  report.passed() ? Style::kGreen : Style::kRed, layout.color),
                           all.passed + all.unexpected, all.failed, gaps,
                           Percent(report.summary.pass_share()), Percent(report.min_pass));
}

nlohmann::ordered_json PolicyTestJson(const PolicyTestReport& report) {
  const TestGroup& all = report.summary.all;
  nlohmann::ordered_json json = {{"policy", report.policy.id},
                                 {"policy_version", report.policy.version},
                                 {"policy_hash", report.policy.hash},
                                 {"passed", report.passed()},
                                 {"pass_share", report.summary.pass_share()},
                                 {"min_pass", report.min_pass},
                                 {"tests", all.tests},
                                 {"tests_passed", all.passed},
                                 {"tests_failed", all.failed},
                                 {"known_gaps", all.known_gaps},
                                 {"unexpected_passes", all.unexpected},
                                 {"folds", report.folds},
                                 {"notes", report.notes},
                                 {"rules", GroupsJson(report.summary.rules, true)},
                                 {"labels", GroupsJson(report.summary.labels, false)},
                                 {"languages", GroupsJson(report.summary.languages, false)},
                                 {"results", TestsJson(report)}};
  if (report.mutated) {
    json["mutation"] = MutationJson(report);
  }
  if (report.ablated) {
    json["ablation"] = AblationJson(report);
  }
  return json;
}

}  // namespace safeguard::apps
