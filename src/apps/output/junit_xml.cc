// JUnit XML: the shape that CI systems read.
#include <fmt/format.h>

#include "apps/output/policy_test_text.h"
#include "base/utf8.h"

namespace safeguard::apps {
namespace {

using eval::TestStatus;

// For text and attributes; characters that XML 1.0 does not allow become U+FFFD.
std::string XmlText(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const DecodedCodePoint point = DecodeUtf8(text, i);
    i += point.length;
    const char32_t c = point.value;
    const bool allowed = c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c <= 0xD7FF) ||
                         (c >= 0xE000 && c <= 0xFFFD) || c >= 0x10000;
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\n':
        out += "&#10;";
        break;
      default:
        AppendUtf8(allowed ? c : char32_t{0xFFFD}, out);
    }
  }
  return out;
}

std::string CaseXml(const PolicyTestReport& report, std::size_t index) {
  const eval::PolicyTest& test = report.set.tests[index];
  const eval::TestResult& result = report.run.results[index];
  const std::string group = test.record.rule_ids.empty() ? "" : "." + test.record.rule_ids.front();
  std::string out =
      fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"{:.4f}\"",
                  XmlText(report.policy.id + group), XmlText(test.name), result.latency_ms / 1000);
  switch (result.status) {
    case TestStatus::kPassed:
      return out + "/>\n";
    case TestStatus::kFailed:
      return out + fmt::format(">\n      <failure message=\"{}\">{}</failure>\n    </testcase>\n",
                               XmlText(result.why),
                               XmlText(result.verdict.rationale + "\n" +
                                       test.record.content.messages.front().text));
    case TestStatus::kKnownGap:
      return out + ">\n      <skipped message=\"known gap\"/>\n    </testcase>\n";
    case TestStatus::kUnexpectedPass:
      return out +
             ">\n      <system-out>tagged known-gap, and passes</system-out>\n    </testcase>\n";
    case TestStatus::kNotRun:
      break;
  }
  return out + ">\n      <skipped message=\"not run\"/>\n    </testcase>\n";
}

}  // namespace

std::string JunitXml(std::span<const PolicyTestReport> reports) {
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  for (const PolicyTestReport& report : reports) {
    const eval::TestGroup& all = report.summary.all;
    out += fmt::format(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\" errors=\"0\" "
        "time=\"{:.3f}\">\n    <properties>\n"
        "      <property name=\"policy_hash\" value=\"{}\"/>\n    </properties>\n",
        XmlText(report.policy.id + " " + report.policy.version), report.set.tests.size(),
        all.failed, all.known_gaps + report.set.tests.size() - all.tests, report.run.seconds,
        report.policy.hash);
    for (std::size_t i = 0; i < report.set.tests.size(); ++i) {
      out += CaseXml(report, i);
    }
    out += "  </testsuite>\n";
  }
  return out + "</testsuites>\n";
}

}  // namespace safeguard::apps
