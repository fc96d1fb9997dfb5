// The parts of the stream guard, each alone.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "http/guard/json_event.h"
#include "http/guard/judge_scorer.h"
#include "http/guard/ledger.h"
#include "http/guard/sse_parser.h"
#include "http/guard/windows.h"

namespace safeguard::guard {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> Parse(const std::string& bytes, std::size_t chunk) {
  SseParser parser(1000);
  std::vector<SseEvent> events;
  for (std::size_t at = 0; at < bytes.size(); at += chunk) {
    EXPECT_TRUE(parser.Feed(bytes.substr(at, chunk), events));
  }
  std::vector<std::string> texts;
  for (const SseEvent& event : events) {
    texts.push_back(event.name + "|" + event.data);
  }
  return texts;
}

TEST(SseParser, ReadsTheStandardsExamplesHoweverTheyAreCut) {
  for (std::size_t chunk = 1; chunk < 12; ++chunk) {
    EXPECT_THAT(Parse("data: YHOO\ndata: +2\ndata: 10\n\n", chunk), ElementsAre("|YHOO\n+2\n10"));
    EXPECT_THAT(Parse(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\n"
                      "data:  third event\n\n",
                      chunk),
                ElementsAre("|first event", "|second event", "| third event"));
    EXPECT_THAT(Parse("data\n\ndata\ndata\n\ndata:", chunk), ElementsAre("|", "|\n"));
    EXPECT_THAT(Parse("\xEF\xBB\xBF"
                      "event: a\r\ndata: 1\r\n\r\nevent: b\rdata: 2\r\rdata: 3\n\r\n",
                      chunk),
                ElementsAre("a|1", "b|2", "|3"));
    EXPECT_THAT(Parse("event: lost\n\ndata: x\n\n", chunk), ElementsAre("|x"));
  }
}

TEST(SseParser, BoundsAnEventButNotTheCommentsBetween) {
  SseParser parser(10);
  std::vector<SseEvent> events;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(parser.Feed(":ping\n", events));
  }
  EXPECT_TRUE(parser.Feed("\ndata: 1\n\n", events));
  EXPECT_EQ(events.size(), 1U);
  const Status over = parser.Feed("data: 1\ndata: 22\n\n", events);
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().code, ErrorCode::kLimit);
}

std::vector<std::string> Windows(const std::string& text, const WindowSizes& sizes) {
  std::vector<std::string> windows;
  std::size_t begin = 0;
  while (const auto end = WindowEnd(text, begin, windows.size(), sizes)) {
    windows.push_back(text.substr(begin, *end - begin));
    begin = *end;
  }
  windows.push_back(text.substr(begin));
  return windows;
}

TEST(Windows, EndWithSentencesAndTheFirstOnesEarly) {
  const WindowSizes sizes{.bytes_min = 24, .bytes_soft = 64, .bytes_max = 100};
  EXPECT_THAT(Windows("Hello. One and two. It costs 3.50 now, e.g. here. And so on and on.", sizes),
              ElementsAre("Hello.", " One and two.", " It costs 3.50 now, e.g.",
                          " here. And so on and on."));
  EXPECT_THAT(Windows("\u4f60\u597d\u3002\u518d\u89c1", sizes),
              ElementsAre("\u4f60\u597d\u3002", "\u518d\u89c1"));
}

TEST(Windows, NeverCutACharacterAndNeverExceedTheirSize) {
  const WindowSizes sizes{.bytes_min = 8, .bytes_soft = 10, .bytes_max = 10};
  std::string text;
  for (int i = 0; i < 50; ++i) {
    text += "\U0001F600";
  }
  for (const std::string& window : Windows(text, sizes)) {
    EXPECT_LE(window.size(), 10U);
    EXPECT_EQ(window.size() % 4, 0U);
  }
}

TEST(Windows, ContextBeginsWithASentenceElseAWord) {
  const std::string text = "First one. Second one is long. ";
  EXPECT_EQ(text.substr(ContextBegin(text, text.size(), 25)), " Second one is long. ");
  EXPECT_EQ(text.substr(ContextBegin(text, text.size(), 12)), "is long. ");
  EXPECT_EQ(ContextBegin(text, 5, 100), 0U);
  EXPECT_EQ(ContextBegin("\u4f60\u597d\u4f60\u597d", 12, 4), 9U);
}

TEST(Ledger, ReleasedIsASubsetOfScanned) {
  Ledger ledger(5);
  const std::size_t channel = ledger.AddChannel("text");
  ledger.Scanned(channel, {0, 10, 1, "screen", 0.1, true});
  ledger.Released(channel, 0, 10, 0, {});
  EXPECT_EQ(UncoveredBytes(ledger.channels()[channel]), 0U);
  ledger.Released(channel, 10, 14, 4, std::chrono::milliseconds(7));
  EXPECT_EQ(ledger.room(), 1U);
  EXPECT_EQ(ledger.exposed_since(), std::chrono::milliseconds(7));
  EXPECT_EQ(ledger.Summary().unscanned_bytes, 4U);
  ledger.Scanned(channel, {10, 20, 2, "screen", 0.1, true});
  EXPECT_EQ(ledger.room(), 5U);
  EXPECT_EQ(ledger.exposed_since(), std::nullopt);
  EXPECT_EQ(ledger.Summary().unscanned_bytes, 0U);
  EXPECT_EQ(ledger.Summary().exposed_tokens_max, 4U);
}

TEST(LedgerDeathTest, EndsTheProcessRatherThanBreakTheContract) {
  Ledger ledger(5);
  const std::size_t channel = ledger.AddChannel("text");
  EXPECT_DEATH(ledger.Released(channel, 0, 10, 6, {}), "tokens <= room");
  EXPECT_DEATH(ledger.Released(channel, 0, 10, 0, {}), "tokens > 0");
  EXPECT_DEATH(ledger.Released(channel, 1, 2, 1, {}), "released_to");
  EXPECT_DEATH(ledger.Scanned(channel, {1, 2, 1, "", {}, true}), "scanned_to");
}

TEST(JsonEvent, ResolvesEscapesAsAParserWould) {
  EXPECT_EQ(Unescaped(R"({"a": "b\u0061d \ud83d\ude00 \"q\" \n \\ \/"})"),
            "{\"a\": \"bad \U0001F600 \"q\" \n \\ /\"}");
  EXPECT_EQ(Unescaped(R"(\ud83d x \uZZZZ \u12)"), "ud83d x uZZZZ u12");
  EXPECT_EQ(Unescaped("end\\"), "end\\");
}

TEST(JsonEvent, TakesOutWhatCannotBeJudged) {
  Json event = {{"choices", Json::array({{{"logprobs", {{"content", {1, 2}}}}}})},
                {"obfuscation", "xyz"},
                {"response", {{"instructions", "be kind"}, {"tools", {1}}, {"id", "r"}}}};
  EXPECT_EQ(DropOpaque(event), 4U);
  EXPECT_EQ(event.dump(), R"({"choices":[{"logprobs":null}],"obfuscation":"",)"
                          R"("response":{"instructions":null,"tools":[],"id":"r"}})");
}

TEST(JudgeScorer, TheWorstVerdictCounts) {
  using moderation::Outcome;
  moderation::Verdict safe;
  safe.outcome = Outcome::kSafe;
  safe.reason = moderation::UndeterminedReason::kNone;
  safe.score = 0.3;
  moderation::Verdict unsure =
      moderation::Undetermined({}, moderation::UndeterminedReason::kTimeout, "too slow");
  moderation::Verdict violation = safe;
  violation.outcome = Outcome::kViolation;
  violation.score = 0.9;
  violation.rule_ids = {"X1"};
  violation.policy.id = "spam";
  EXPECT_EQ(Combine({safe}).outcome, Outcome::kSafe);
  EXPECT_EQ(Combine({safe, unsure}).outcome, Outcome::kUndetermined);
  EXPECT_EQ(Combine({safe, unsure}).detail, "too slow");
  EXPECT_EQ(Combine({safe, unsure, violation}).outcome, Outcome::kViolation);
  EXPECT_EQ(Combine({safe, unsure, violation}).detail, "spam X1");
  EXPECT_EQ(Combine({safe, violation}).score, 0.9);
  EXPECT_EQ(Combine({}).outcome, Outcome::kUndetermined);
}

}  // namespace
}  // namespace safeguard::guard
