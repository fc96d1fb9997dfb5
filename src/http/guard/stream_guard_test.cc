// What a client sees through the guard, format by format.
#include "http/guard/stream_guard.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "http/guard/run_stream.h"
#include "http/guard/test_streams.h"

namespace safeguard::guard {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr WireFormat kFormats[] = {WireFormat::kOpenAiChat, WireFormat::kOpenAiResponses,
                                   WireFormat::kAnthropicMessages, WireFormat::kPlainText};

// Sentences of a letter's length at a time, as models send them.
std::vector<Said> Letters(const std::string& text, TextKind kind = TextKind::kContent) {
  std::vector<Said> said;
  for (const char c : text) {
    said.push_back({std::string(1, c), kind});
  }
  return said;
}

GuardSettings SettingsFor(WireFormat format) {
  GuardSettings settings;
  settings.format = format;
  return settings;
}

struct Outcome {
  Seen seen;
  GuardState state;
  LedgerSummary ledger;
  StreamOutput output;
};

Outcome Guarded(const GuardSettings& settings, const std::string& bytes, std::size_t chunk = 0,
                WindowScorer* slow = nullptr) {
  StreamGuard guard(settings, Duration::zero());
  WordScorer fast;
  Outcome outcome;
  outcome.output = RunStream(guard, bytes, chunk, fast, slow);
  outcome.seen = Read(settings.format, outcome.output.released);
  outcome.state = guard.state();
  outcome.ledger = guard.ledger().Summary();
  return outcome;
}

constexpr char kClean[] =
    "The sky is blue. Water boils at a hundred degrees, or a little less on a mountain. "
    "That is all there is to say about it, and it has been said before by many others.";
constexpr char kLate[] =
    "The sky is blue. Water boils at a hundred degrees, or a little less on a mountain. "
    "Now comes the bad part, which nobody may read.";

TEST(StreamGuard, ACleanAnswerComesThroughWhole) {
  for (const WireFormat format : kFormats) {
    const Outcome outcome = Guarded(SettingsFor(format), StreamIn(format, Letters(kClean)));
    EXPECT_EQ(outcome.state, GuardState::kCompleted) << ToString(format);
    EXPECT_EQ(outcome.seen.content, kClean);
    EXPECT_EQ(outcome.ledger.unscanned_bytes, 0U);
    EXPECT_EQ(outcome.ledger.released_bytes, outcome.ledger.scanned_bytes);
    EXPECT_EQ(outcome.ledger.exposed_tokens_max, 0U);
  }
}

TEST(StreamGuard, ALatePayloadEndsTheStreamInItsOwnFormat) {
  const std::pair<WireFormat, const char*> ends[] = {
      {WireFormat::kOpenAiChat, "content_filter"},
      {WireFormat::kOpenAiResponses, "content_filter"},
      {WireFormat::kAnthropicMessages, "refusal"},
      {WireFormat::kPlainText, ""}};
  for (const auto& [format, end] : ends) {
    const Outcome outcome = Guarded(SettingsFor(format), StreamIn(format, Letters(kLate)));
    EXPECT_EQ(outcome.state, GuardState::kViolation) << ToString(format);
    EXPECT_EQ(outcome.seen.end, end);
    EXPECT_THAT(outcome.output.released, Not(HasSubstr("Now")));
    EXPECT_THAT(outcome.seen.content, HasSubstr("on a mountain."));
    EXPECT_EQ(outcome.ledger.unscanned_bytes, 0U);
  }
}

TEST(StreamGuard, TheVerdictDoesNotDependOnHowTheStreamIsCut) {
  for (const WireFormat format : kFormats) {
    for (const char* text : {kClean, kLate,
                             "Gr\u00fc\u00dfe \U0001F600 \u4f60\u597d\u3002 Then "
                             "something bad\u3002 And more of it, as before."}) {
      const std::string bytes = StreamIn(format, {{text}});
      const Outcome whole = Guarded(SettingsFor(format), bytes);
      for (std::size_t chunk = 1; chunk <= 9; ++chunk) {
        const Outcome pieces = Guarded(SettingsFor(format), bytes, chunk);
        ASSERT_EQ(pieces.output.released, whole.output.released) << ToString(format) << chunk;
        ASSERT_EQ(pieces.state, whole.state);
      }
    }
  }
}

TEST(StreamGuard, EverySplitPointGivesTheSame) {
  for (const WireFormat format : kFormats) {
    std::string bytes = StreamIn(format, {{"Fine so far. \u00e9\u4f60 "}, {"Then bad things."}});
    if (format != WireFormat::kPlainText) {
      std::string crlf;
      for (const char c : bytes) {
        crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
      }
      bytes = ": a comment\r\n\r\n" + crlf;
    }
    const Outcome whole = Guarded(SettingsFor(format), bytes);
    ASSERT_EQ(whole.state, GuardState::kViolation);
    for (std::size_t split = 1; split < bytes.size(); ++split) {
      StreamGuard guard(SettingsFor(format), Duration::zero());
      WordScorer fast;
      StreamOutput output;
      Carry(guard, guard.Feed(bytes.substr(0, split), {}), fast, nullptr, {}, output);
      Carry(guard, guard.Feed(bytes.substr(split), {}), fast, nullptr, {}, output);
      Carry(guard, guard.Finish(false, {}), fast, nullptr, {}, output);
      ASSERT_EQ(output.released, whole.output.released) << ToString(format) << " at " << split;
    }
  }
}

TEST(StreamGuard, AToolCallIsHeldUntilItIsWholeAndJudgedAsItsReaderSeesIt) {
  // "bad", spelled with an escape that JSON resolves, and cut between deltas.
  const std::vector<Said> said = {{"Let me look."},
                                  {"{\"q\": \"b", TextKind::kTool},
                                  {"\\u00", TextKind::kTool},
                                  {"61d\"}", TextKind::kTool}};
  for (const WireFormat format :
       {WireFormat::kOpenAiChat, WireFormat::kOpenAiResponses, WireFormat::kAnthropicMessages}) {
    GuardSettings settings = SettingsFor(format);
    settings.contract.tokens_max = 1000;  // never for tool calls
    const Outcome outcome = Guarded(settings, StreamIn(format, said));
    EXPECT_EQ(outcome.state, GuardState::kViolation) << ToString(format);
    EXPECT_EQ(outcome.seen.tools, "");
    EXPECT_EQ(outcome.seen.content, "Let me look.");
    std::vector<Said> fine = said;
    fine[3].text = "62d\"}";
    const Outcome passed = Guarded(settings, StreamIn(format, fine));
    EXPECT_EQ(passed.state, GuardState::kCompleted);
    EXPECT_EQ(passed.seen.tools, "{\"q\": \"b\\u0062d\"}");
  }
}

TEST(StreamGuard, ReasoningIsJudgedOrDropped) {
  for (const WireFormat format :
       {WireFormat::kOpenAiChat, WireFormat::kOpenAiResponses, WireFormat::kAnthropicMessages}) {
    const std::string bytes =
        StreamIn(format, {{"How bad is it?", TextKind::kReasoning}, {"It is fine."}});
    GuardSettings settings = SettingsFor(format);
    EXPECT_EQ(Guarded(settings, bytes).state, GuardState::kViolation) << ToString(format);
    settings.reasoning = Reasoning::kDrop;
    const Outcome dropped = Guarded(settings, bytes);
    EXPECT_EQ(dropped.state, GuardState::kCompleted) << ToString(format);
    EXPECT_EQ(dropped.seen.reasoning, "");
    EXPECT_EQ(dropped.seen.content, "It is fine.");
    EXPECT_THAT(dropped.output.released, Not(HasSubstr("bad")));
  }
}

TEST(StreamGuard, NothingHidesInAFieldThatTheFormatDoesNotName) {
  for (const char* hidden :
       {R"("extra": "something bad")", R"("bad": 1)", R"("model": "a bad name")",
        R"("deep": [{"x": ["y", {"z": "bad"}]}])"}) {
    const std::string bytes =
        "data: {\"id\": \"1\", " + std::string(hidden) +
        ", \"choices\": [{\"index\": 0, \"delta\": {\"content\": \"hi\"}}]}\n\n";
    const Outcome outcome = Guarded(SettingsFor(WireFormat::kOpenAiChat), bytes + ChatStream({}));
    EXPECT_EQ(outcome.state, GuardState::kViolation) << hidden;
    EXPECT_THAT(outcome.output.released, Not(HasSubstr("bad")));
  }
}

TEST(StreamGuard, WhatParsersReadDifferentlyIsWrittenAnew) {
  // The first of two keys, a comment and an unknown field: some readers see them.
  const std::string bytes =
      ":bad\nid: bad\nfoo: bad\ndata: {\"choices\": [{\"index\": 0, \"delta\": {\"content\": "
      "\"bad\", \"content\": \"good\"}}]}\n\n" +
      ChatStream({});
  const Outcome outcome = Guarded(SettingsFor(WireFormat::kOpenAiChat), bytes);
  EXPECT_EQ(outcome.state, GuardState::kCompleted);
  EXPECT_EQ(outcome.seen.content, "good");
  EXPECT_THAT(outcome.output.released, Not(HasSubstr("bad")));
}

TEST(StreamGuard, RefusesWhatItDoesNotUnderstand) {
  const std::pair<WireFormat, std::string> strange[] = {
      {WireFormat::kOpenAiChat, "data: not json\n\n"},
      {WireFormat::kOpenAiChat, "data: [1]\n\n"},
      {WireFormat::kOpenAiChat, "data: {\"answer\": \"hi\"}\n\n"},
      {WireFormat::kOpenAiChat, "data: {\"choices\": [{\"text\": \"hi\"}]}\n\n"},
      {WireFormat::kOpenAiChat, "event: message_start\ndata: {\"choices\": []}\n\n"},
      {WireFormat::kOpenAiChat,
       "data: {\"choices\": [{\"delta\": {\"audio\": {\"data\": \"x\"}}}]}\n\n"},
      {WireFormat::kOpenAiChat, "data: {\"choices\": [], \"x\": [1,2,3,4,5,6,7,8,9,10]}\n\n"},
      {WireFormat::kOpenAiChat,
       "data: {\"choices\": [], \"x\": \"" + std::string(600, 'A') + "\"}\n\n"},
      {WireFormat::kOpenAiChat,
       "data: {\"choices\": " + std::string(100, '[') + std::string(100, ']') + "}\n\n"},
      {WireFormat::kOpenAiChat, "data: {\"choices\": [{\"delta\": {\"content\": \"\xFF\"}}]}\n\n"},
      {WireFormat::kOpenAiResponses, "data: {\"type\": \"response.video.delta\"}\n\n"},
      {WireFormat::kOpenAiResponses,
       "event: response.completed\ndata: {\"type\": \"response.created\"}\n\n"},
      {WireFormat::kAnthropicMessages, "data: {\"type\": \"message_begin\"}\n\n"},
      {WireFormat::kAnthropicMessages,
       "data: {\"type\": \"content_block_start\", \"content_block\": {\"type\": \"image\"}}\n\n"}};
  for (const auto& [format, bytes] : strange) {
    const Outcome outcome = Guarded(SettingsFor(format), bytes + StreamIn(format, {{"hello"}}));
    EXPECT_EQ(outcome.state, GuardState::kFailed) << bytes;
    EXPECT_EQ(outcome.seen.end, "error");
    EXPECT_THAT(outcome.output.released, Not(HasSubstr("hello")));
  }
}

TEST(StreamGuard, AnAnswerThatStopsInTheMiddleEndsWithAnError) {
  for (const WireFormat format :
       {WireFormat::kOpenAiChat, WireFormat::kOpenAiResponses, WireFormat::kAnthropicMessages}) {
    const std::string bytes = StreamIn(format, {{"Fine so far. And"}});
    const Outcome outcome = Guarded(SettingsFor(format), bytes.substr(0, bytes.size() - 30));
    EXPECT_EQ(outcome.state, GuardState::kFailed) << ToString(format);
    EXPECT_EQ(outcome.seen.content, "Fine so far. And");  // it was judged
    EXPECT_EQ(outcome.seen.end, "error");
    EXPECT_EQ(outcome.output.events.back().kind, GuardEventKind::kUpstreamFailed);
  }
}

TEST(StreamGuard, AStalledUpstreamIsFlushedAndThenEnded) {
  GuardSettings settings = SettingsFor(WireFormat::kPlainText);
  settings.plain_notice = "[stopped]";
  StreamGuard guard(settings, Duration::zero());
  WordScorer fast;
  StreamOutput output;
  Carry(guard, guard.Feed("Half a sent", milliseconds(10)), fast, nullptr, {}, output);
  EXPECT_EQ(output.released, "");
  ASSERT_EQ(guard.next_deadline(), milliseconds(10) + settings.windows.idle);
  const Duration idle = *guard.next_deadline();
  Carry(guard, guard.Tick(idle), fast, nullptr, idle, output);
  EXPECT_EQ(output.released, "Half a sent");
  const Duration stall = *guard.next_deadline();
  EXPECT_EQ(stall, milliseconds(10) + settings.limits.stall_max);
  Carry(guard, guard.Tick(stall), fast, nullptr, stall, output);
  EXPECT_EQ(output.released, "Half a sent[stopped]");
  EXPECT_EQ(guard.state(), GuardState::kFailed);
}

TEST(StreamGuard, AFloodIsHeldBackAndBounded) {
  GuardSettings settings = SettingsFor(WireFormat::kPlainText);
  settings.limits.held_bytes_max = 4096;
  StreamGuard guard(settings, Duration::zero());
  std::size_t fed = 0;
  std::size_t asked = 0;
  while (guard.wants_input()) {  // nobody answers
    const Step step = guard.Feed("word word word word ", Duration::zero());
    asked += step.ask.size();
    EXPECT_EQ(step.release, "");
    fed += 20;
  }
  EXPECT_GE(fed, 4096U);
  EXPECT_LE(fed, 4200U);
  EXPECT_EQ(asked, settings.windows.in_flight_max);
  EXPECT_FALSE(guard.ended());
  guard.Feed(std::string(8192, 'x') + " ", Duration::zero());
  EXPECT_FALSE(guard.wants_input());  // refused; what came before still waits for its scores
}

TEST(StreamGuard, FailModesAreWhatTheySay) {
  const std::string bytes =
      ChatStream({{"All is well here."}, {" I am unsure about it all."}, {" Yes."}});
  GuardSettings settings = SettingsFor(WireFormat::kOpenAiChat);
  settings.whole_pass = false;
  settings.windows.overlap_bytes = 0;

  const Outcome closed = Guarded(settings, bytes);
  EXPECT_EQ(closed.state, GuardState::kFailed);
  EXPECT_EQ(closed.seen.content, "All is well here.");
  EXPECT_EQ(closed.seen.end, "error");
  EXPECT_EQ(closed.output.events.back().kind, GuardEventKind::kNotJudged);

  settings.fail_mode = FailMode::kOpen;
  const Outcome open = Guarded(settings, bytes);
  EXPECT_EQ(open.state, GuardState::kCompleted);
  EXPECT_EQ(open.seen.content, "All is well here. I am unsure about it all. Yes.");
  EXPECT_GT(open.ledger.unscanned_bytes, 0U);
  EXPECT_LT(open.ledger.unscanned_bytes, open.ledger.released_bytes);
  EXPECT_EQ(open.output.events.front().kind, GuardEventKind::kFailedOpen);

  settings.fail_mode = FailMode::kDegrade;
  settings.doubt_at = 0.5;
  WordScorer slow([](const std::string& text) { return ScoreWords(text == "" ? "bad" : "good"); });
  const Outcome degraded = Guarded(settings, bytes, 0, &slow);
  EXPECT_EQ(degraded.state, GuardState::kCompleted);
  EXPECT_EQ(degraded.ledger.unscanned_bytes, 0U);
  EXPECT_EQ(degraded.output.events.front().kind, GuardEventKind::kDegraded);
}

TEST(StreamGuard, ADoubtIsPutToTheSlowJudgeWithAllThatCameBefore) {
  GuardSettings settings = SettingsFor(WireFormat::kOpenAiChat);
  settings.doubt_at = 0.5;
  settings.whole_pass = false;
  settings.contract.tokens_max = 100;
  const std::string bytes =
      ChatStream({{"All is well here."}, {" This is maybe so, or is it not."}, {" Yes."}});
  for (const bool violates : {false, true}) {
    WordScorer slow([&](const std::string&) { return ScoreWords(violates ? "bad" : "good"); });
    const Outcome outcome = Guarded(settings, bytes, 1, &slow);
    EXPECT_EQ(outcome.state, violates ? GuardState::kViolation : GuardState::kCompleted);
    ASSERT_FALSE(slow.asked.empty());
    EXPECT_EQ(slow.asked[0].text, "All is well here. This is maybe so, or is it not.");
    EXPECT_EQ(slow.asked[0].kind, AskKind::kPrefix);
  }
}

TEST(StreamGuard, AnAnswerOfNoScorerInTimeIsNotJudged) {
  GuardSettings settings = SettingsFor(WireFormat::kOpenAiChat);
  StreamGuard guard(settings, Duration::zero());
  const Step step = guard.Feed(ChatStream({{"Hello there. "}}), Duration::zero());
  ASSERT_FALSE(step.ask.empty());
  EXPECT_EQ(Read(settings.format, step.release).content, "");
  const Step late = guard.Tick(settings.limits.score_max);
  EXPECT_EQ(guard.state(), GuardState::kFailed);
  EXPECT_THAT(late.release, HasSubstr("content_not_judged"));
  EXPECT_EQ(guard.Scored(step.ask[0].id, ScoreWords("fine"), settings.limits.score_max).release,
            "");
}

TEST(StreamGuard, TextThatIsVisibleForTooLongUnjudgedEndsTheStream) {
  GuardSettings settings = SettingsFor(WireFormat::kOpenAiChat);
  settings.contract = {20, milliseconds(300)};
  StreamGuard guard(settings, Duration::zero());
  const Step step = guard.Feed(ChatStream({{"Hello "}, {"there, "}, {"my old and dear friend. "}}),
                               milliseconds(5));
  EXPECT_EQ(Read(settings.format, step.release).content, "Hello there, ");
  ASSERT_EQ(guard.next_deadline(), milliseconds(125));  // idle comes first
  EXPECT_EQ(guard.Tick(milliseconds(304)).release, "");
  EXPECT_FALSE(guard.ended());
  const Step late = guard.Tick(milliseconds(305));
  EXPECT_EQ(guard.state(), GuardState::kFailed);
  EXPECT_EQ(late.events.back().kind, GuardEventKind::kExposedTooLong);
  EXPECT_EQ(guard.ledger().Summary().unscanned_bytes, 13U);
}

TEST(StreamGuard, WindowsOverlapSoThatAPayloadBetweenTwoIsFound) {
  // "b" ends one window and "ad" begins the next: only the context joins them.
  GuardSettings settings = SettingsFor(WireFormat::kPlainText);
  settings.windows = {.bytes_min = 4, .bytes_soft = 4, .bytes_max = 4, .overlap_bytes = 8};
  settings.whole_pass = false;
  for (std::size_t lead = 0; lead < 12; ++lead) {
    const Outcome outcome = Guarded(settings, std::string(lead, 'x') + "bad" + std::string(9, 'y'));
    EXPECT_EQ(outcome.state, GuardState::kViolation) << lead;
    EXPECT_THAT(outcome.seen.content, Not(HasSubstr("bad")));
  }
}

TEST(StreamGuard, TheWholeIsJudgedBeforeTheAnswerEnds) {
  GuardSettings settings = SettingsFor(WireFormat::kOpenAiChat);
  settings.windows.overlap_bytes = 32;
  const std::string bytes = ChatStream(Letters(kClean));
  StreamGuard guard(settings, Duration::zero());
  WordScorer diluted([](const std::string& text) {  // finds it only in the whole
    return ScoreWords(text.size() >= sizeof kClean - 1 ? "bad" : "good");
  });
  const StreamOutput output = RunStream(guard, bytes, 0, diluted, nullptr);
  EXPECT_EQ(guard.state(), GuardState::kViolation);
  EXPECT_EQ(diluted.asked.back().kind, AskKind::kWhole);
  EXPECT_EQ(Read(settings.format, output.released).end, "content_filter");
  EXPECT_THAT(output.released, Not(HasSubstr("\"stop\"")));
}

TEST(StreamGuard, SettingsThatContradictThemselvesAreNamed) {
  GuardSettings settings;
  settings.fail_mode = FailMode::kDegrade;
  EXPECT_THAT(CheckSettings(settings).error().message, HasSubstr("slow judge"));
  settings = {};
  settings.windows.bytes_min = 1000;
  EXPECT_THAT(CheckSettings(settings).error().message, HasSubstr("window sizes"));
  settings = {};
  settings.doubt_at = 1.5;
  EXPECT_THAT(CheckSettings(settings).error().message, HasSubstr("doubt_at"));
}

}  // namespace
}  // namespace safeguard::guard
