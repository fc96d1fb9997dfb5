// The HTML and Markdown reports: complete, self-contained, and closed to whatever content says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cctype>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "eval/fake_judge.h"
#include "eval/report.h"
#include "eval/report/html/html_text.h"

namespace safeguard::eval {
namespace {

using moderation::Outcome;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

// A report in which every text that comes from outside is `text`.
Report MakeReport(const std::string& text) {
  Dataset dataset;
  dataset.name = text;
  dataset.path = text;
  dataset.hash = std::string(64, 'b');
  EvaluationRun run;
  for (std::size_t i = 0; i < 40; ++i) {
    Record record;
    record.line = i + 1;
    record.content = moderation::UserMessage("x" + text + std::to_string(i));
    record.content.id = text + std::to_string(i);
    record.content.language = text;
    record.content.surface = text;
    record.expected = i % 2 == 0 ? Outcome::kViolation : Outcome::kSafe;
    record.label = text;
    record.tags = {text, "functionality:" + text};
    record.rule_ids = {text};
    dataset.records.push_back(record);
    moderation::Verdict verdict = FakeVerdict(i % 3 == 0   ? Outcome::kViolation
                                              : i % 3 == 1 ? Outcome::kSafe
                                                           : Outcome::kUndetermined,
                                              static_cast<double>((i * 37) % 41) / 40);
    verdict.rule_ids = {text};
    verdict.tokens = {.prompt = 900, .cached = 700, .reasoning = 60 + i, .answer = 2};
    verdict.decided_by = {.layer = "reasoner", .model = text, .model_hash = "f00d"};
    run.results.push_back({.judged = true, .verdict = std::move(verdict), .latency_ms = 2});
  }
  moderation::Policy policy = FakePolicy();
  policy.id = text;
  policy.name = text;
  policy.version = text;
  policy.text = "# Policy\n" + text;
  policy.thresholds = moderation::Thresholds{.violation = 0.6, .safe = 0.4};
  Report report = BuildReport(policy, dataset, run, {.date = text});
  report.notes.push_back(text);
  return report;
}

QualityPoint Other(const std::string& text) {
  return {.name = text,
          .f1 = 0.7,
          .interval = Interval{.low = 0.6, .high = 0.8},
          .seconds = 3,
          .tokens = 400};
}

std::string Page(const std::string& text) {
  const std::vector<QualityPoint> others = {Other(text)};
  return RenderHtml(MakeReport(text), others);
}

// What a browser would take as markup: the tags with the names of their attributes, in order. Text
// and attribute values are left out.
std::string Skeleton(std::string_view html) {
  std::string skeleton;
  for (std::size_t at = html.find('<'); at < html.size(); at = html.find('<', at)) {
    char quote = 0;
    bool in_name = true;
    for (; at < html.size() && (quote != 0 || html[at] != '>'); ++at) {
      if (quote != 0) {
        quote = html[at] == quote ? 0 : quote;
      } else if (html[at] == '"' || html[at] == '\'') {
        quote = html[at];
        in_name = false;
      } else if (html[at] == ' ') {
        in_name = true;
        skeleton += ' ';
      } else if (in_name) {
        skeleton += html[at];
      }
    }
    skeleton += '>';
  }
  return skeleton;
}

// Nothing that is put into the report changes what a browser takes as markup.
TEST(ReportHtmlTest, NoContentCanInjectMarkup) {
  // As long as the words of the plain report, so that cut-off excerpts do not differ.
  const std::string plain = Skeleton(Page("abcdefgh"));
  EXPECT_THAT(plain, HasSubstr("<svg class"));
  EXPECT_THAT(plain, Not(HasSubstr("<script")));
  for (const std::string hostile :
       {"<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onmouseover='x",
        "</style><b>", "</title></pre></svg><h1>", "<!--", "-->", "]]>", "&lt;b&gt;", "\xff\xfe<b>",
        "<\xc3", "\xe2\x80\xae<i>", "`${1}`", "\x01<b\x00>", "javascript:alert(1)"}) {
    EXPECT_EQ(Skeleton(Page(hostile)), plain) << hostile;
  }
  rc::check([&plain] {
    const auto letters =
        *rc::gen::container<std::vector<std::size_t>>(8, rc::gen::inRange<std::size_t>(0, 16));
    std::string hostile = "a";
    for (const std::size_t letter : letters) {
      hostile += "<>\"'&=/ -!`\\;xs\xf0"[letter];
    }
    RC_ASSERT(Skeleton(Page(hostile + "z")) == plain);
  });
}

TEST(ReportHtmlTest, AsksNothingOfTheOutside) {
  const std::string page = Page("https://example.org/x.js");
  EXPECT_THAT(page, HasSubstr("Content-Security-Policy"));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  for (const char* reaching :
       {"src=\"", "href=\"", "url(", "@import", "<script", "<link", "<img"}) {
    EXPECT_THAT(page, Not(HasSubstr(reaching)));
  }
  EXPECT_THAT(page, HasSubstr("prefers-color-scheme:dark"));
  EXPECT_THAT(page, HasSubstr("@media print"));
}

TEST(ReportHtmlTest, HoldsWhatAReaderNeeds) {
  const std::string page = Page("Spam");
  for (const char* part :
       {"Recall", "Precision", "ROC AUC", "Before you believe a figure", "ROC curve", "Reliability",
        "Scores by class", "By rule", "By language", "By surface", "By functionality",
        "False alarms", "Misses", "Cost against quality", "reasoning tokens",
        "Where this comes from", "The policy as it was judged by", "uncertain"}) {
    EXPECT_THAT(page, HasSubstr(part));
  }
  EXPECT_THAT(page, HasSubstr(std::string(64, 'a')));
  EXPECT_THAT(page, HasSubstr(std::string(64, 'b')));
  EXPECT_THAT(page, Not(ContainsRegex("[^e]nan")));
  EXPECT_THAT(page, Not(HasSubstr("inf<")));
}

// Tags are closed in the order in which they were opened.
void ExpectWellFormed(const std::string& page) {
  std::vector<std::string> open;
  for (std::size_t at = page.find('<'); at != std::string::npos; at = page.find('<', at + 1)) {
    const std::size_t end = page.find('>', at);
    ASSERT_NE(end, std::string::npos);
    const std::string tag = page.substr(at + 1, end - at - 1);
    std::string name;
    for (std::size_t i = tag[0] == '/' ? 1 : 0; i < tag.size() && std::isalnum(tag[i]) != 0; ++i) {
      name += tag[i];
    }
    if (tag[0] == '!' || tag.ends_with('/') || name == "meta" || name == "br") {
      continue;
    }
    if (tag[0] != '/') {
      open.push_back(name);
      continue;
    }
    ASSERT_FALSE(open.empty()) << tag;
    ASSERT_EQ(open.back(), name) << page.substr(at > 200 ? at - 200 : 0, 220);
    open.pop_back();
  }
  EXPECT_TRUE(open.empty());
}

TEST(ReportHtmlTest, IsWellFormed) {
  ExpectWellFormed(Page("Spam"));
  Report report = MakeReport("Spam");
  report.undetermined_reasons.clear();
  report.rules.clear();
  report.scored = 0;
  ExpectWellFormed(RenderHtml(report, {}));
  ExpectWellFormed(RenderHtml(BuildReport(FakePolicy(), {}, {}, {}), {}));
}

TEST(ReportHtmlTest, ThinDataGiveAPageWithoutFigures) {
  Dataset dataset;
  const Report empty = BuildReport(FakePolicy(), dataset, {}, {});
  const std::string page = RenderHtml(empty, {});
  EXPECT_THAT(page, HasSubstr("–"));
  EXPECT_THAT(page, Not(ContainsRegex("[^e]nan")));
  EXPECT_THAT(page, Not(HasSubstr("ROC curve")));
  EXPECT_THAT(RenderMarkdown(empty), HasSubstr("| Recall | – | – |"));
  dataset.records.resize(1);
  dataset.records[0].content = moderation::UserMessage("one");
  dataset.records[0].expected = Outcome::kViolation;
  EvaluationRun run;
  run.results.push_back(
      {.judged = true, .verdict = FakeVerdict(Outcome::kViolation, 0.9), .latency_ms = 1});
  const Report one = BuildReport(FakePolicy(), dataset, run, {});
  EXPECT_THAT(RenderHtml(one, {}), HasSubstr("only 1 cases"));
  EXPECT_THAT(RenderHtml(one, {}), Not(HasSubstr("ROC curve")));
}

TEST(ReportHtmlTest, TextsAreEscaped) {
  EXPECT_EQ(HtmlText("a<b>&\"'`"), "a&lt;b&gt;&amp;&quot;&#39;&#96;");
  EXPECT_EQ(HtmlText("\x01\xe2\x80\xae\xff"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(CountText(1234567), "1,234,567");
  EXPECT_EQ(CountText(999), "999");
}

TEST(ReportMarkdownTest, ContentIsText) {
  const std::string hostile = "|<b>[x](http://e)**`@all`\n# head";
  const std::string text = RenderMarkdown(MakeReport(hostile));
  for (const char* live : {"<b>", "[x](", "**`", "\n# head", "@all", "http://"}) {
    EXPECT_THAT(text, Not(HasSubstr(live)));
  }
  EXPECT_THAT(text, HasSubstr("| Recall |"));
  EXPECT_THAT(text, HasSubstr("Readable answers"));
}

TEST(QualityPointTest, ReadsItsOwnReports) {
  const Report report = MakeReport("Spam");
  const QualityPoint written = QualityOf(report);
  const QualityPoint read = *ReadQualityPoint(RenderJson(report), "a.json");
  EXPECT_EQ(read.name, written.name);
  EXPECT_DOUBLE_EQ(*read.f1, *written.f1);
  EXPECT_DOUBLE_EQ(*read.seconds, 0.002);
  EXPECT_DOUBLE_EQ(*read.tokens, *written.tokens);
  EXPECT_DOUBLE_EQ(*read.tokens, 900 - 700 + 79.5 + 2);
  for (const char* wrong : {"", "[]", "{}", "{\"with_undetermined_as_errors\": 3}"}) {
    const auto failed = ReadQualityPoint(wrong, "a.json");
    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().message, HasSubstr("a.json is no report"));
  }
}

TEST(ReportJsonTest, GrewByWhatThePageDraws) {
  const nlohmann::json object = nlohmann::json::parse(RenderJson(MakeReport("Spam")));
  EXPECT_GT(object["curve"].size(), 10U);
  EXPECT_EQ(object["histogram"]["positives"].size(), kHistogramBins);
  EXPECT_EQ(object["reliability"]["bins"].size(), 4U);
  EXPECT_EQ(object["ranking"]["recall_at_rates"][1]["false_alarm_rate_max"], 0.05);
  EXPECT_EQ(object["cost"]["prompt_tokens"]["p50"], 900);
  EXPECT_EQ(object["answers"]["asked"], 40);
  EXPECT_EQ(object["answers"]["unreadable"].size(), 0U);
  EXPECT_THAT(object["policy"]["text"].get<std::string>(), HasSubstr("# Policy"));
}

}  // namespace
}  // namespace safeguard::eval
