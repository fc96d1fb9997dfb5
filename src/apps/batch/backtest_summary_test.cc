#include "apps/batch/backtest_summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/batch/backtest_job.h"
#include "apps/fake_services.h"

namespace safeguard::apps {
namespace {

using ::testing::HasSubstr;

std::string Line(const std::string& now, const std::string& then) {
  return "{\"outcome\":\"" + now + "\",\"rule_ids\":[" + (now == "violation" ? "\"N1\"" : "") +
         "]" +
         (then.empty() ? std::string()
                       : ",\"then\":{\"outcome\":\"" + then + "\",\"rule_ids\":[" +
                             (then == "violation" ? "\"T1\"" : "") + "]}") +
         "}\n";
}

TEST(BacktestSummary, CountsFlipsAgreementAndKappa) {
  const TestFolder folder;
  std::string lines;
  for (int i = 0; i < 4; ++i) {
    lines += Line("violation", "violation") + Line("safe", "safe");
  }
  lines += Line("violation", "safe") + Line("safe", "violation") + Line("safe", "");
  const auto summary = SummariseBacktest(folder.Write("out.jsonl", lines));
  ASSERT_TRUE(summary.has_value());
  EXPECT_EQ(summary->now.total(), 11U);
  EXPECT_EQ(summary->compared, 10U);
  EXPECT_EQ(summary->agreed, 8U);
  EXPECT_EQ(summary->flips.at("safe to violation"), 1U);
  EXPECT_EQ(summary->clauses.at("N1"), 1U);
  EXPECT_EQ(summary->clauses.at("T1"), 1U);
  EXPECT_NEAR(*summary->kappa(), 0.6, 1e-9);  // 0.8 against 0.5 by chance
  const std::string text = BacktestText(*summary, 100, false);
  EXPECT_THAT(text, HasSubstr("80.00 % agree (kappa 0.600), 2 flip"));
}

TEST(BacktestSummary, NamesALineThatIsNoVerdict) {
  const TestFolder folder;
  const auto summary = SummariseBacktest(folder.Write("out.jsonl", Line("safe", "") + "{}\n"));
  ASSERT_FALSE(summary.has_value());
  EXPECT_THAT(summary.error().message, HasSubstr("line 2"));
}

TEST(JobCard, ComesBackAsItWasWritten) {
  const TestFolder folder;
  const std::string out = folder.Path("out.jsonl");
  ASSERT_TRUE(WriteJobCard(out, {"spam", "2", "abc", "in.jsonl", 2.5, 100, 1'700'000'000, 40}));
  const auto card = ReadJobCard(out);
  ASSERT_TRUE(card.has_value());
  EXPECT_EQ(card->policy, "spam");
  EXPECT_EQ(card->rate, 2.5);
  EXPECT_EQ(card->started_at, 40U);
  static_cast<void>(folder.Write("bad.jsonl.job", "{\"policy\": 3}"));
  EXPECT_FALSE(ReadJobCard(folder.Path("bad.jsonl")).has_value());
  EXPECT_EQ(CountLines(folder.Write("lines", "a\nb\nc")), 3U);
  EXPECT_EQ(CountLines("/dev/null"), 0U);
}

}  // namespace
}  // namespace safeguard::apps
