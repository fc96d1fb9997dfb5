// What one request gets: limits, stops, forced tokens, channels, grammar and scores.
#include "engine/runtime/scheduler.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/runtime/fake_forward.h"
#include "engine/runtime/test_vocabulary.h"

namespace safeguard::engine {
namespace {

using Ids = std::vector<std::uint32_t>;
using std::chrono::seconds;

class SchedulerTest : public testing::Test {
 protected:
  SchedulerTest() {
    settings_.now = [this] { return now_; };
  }

  GenerationRequest Ask(const std::string& prompt, std::size_t tokens_max = 20) const {
    GenerationRequest request;
    request.prompt = vocabulary_->Encode(prompt);
    request.stop_tokens = {test::kReturn};
    request.tokens_max = tokens_max;
    return request;
  }

  // Runs all to their ends.
  std::vector<GenerationResult> Run(std::vector<GenerationRequest> requests) {
    std::vector<GenerationResult> results(requests.size());
    Scheduler scheduler(forward_, *vocabulary_, settings_);
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const Status checked = CheckRequest(requests[i], test::kVocabulary, 4096);
      EXPECT_TRUE(checked.has_value()) << Describe(checked.error());
      scheduler.Add(
          static_cast<RequestId>(i + 1), std::move(requests[i]),
          [&results, i](GenerationResult result) { results[i] = std::move(result); }, now_);
    }
    for (int steps = 0; scheduler.StepOnce(); ++steps) {
      if (steps > 10'000) {
        ADD_FAILURE() << "it does not end";
        break;
      }
      now_ += seconds(1);
    }
    counters_ = scheduler.counters();
    return results;
  }
  GenerationResult Run(GenerationRequest request) {
    std::vector<GenerationRequest> one;
    one.push_back(std::move(request));
    return Run(std::move(one))[0];
  }

  static Ids IdsOf(const GenerationResult& result) {
    Ids ids;
    for (const GeneratedToken& token : result.tokens) {
      ids.push_back(token.id);
    }
    return ids;
  }

  std::shared_ptr<const Grammar> Schema(const std::string& schema) const {
    return Grammar::FromJsonSchema(schema).value();
  }

  test::TestVocabulary vocabulary_;
  test::FakeForward forward_{test::kVocabulary};
  GeneratorSettings settings_;
  GeneratorCounters counters_;
  std::chrono::steady_clock::time_point now_{};
};

TEST_F(SchedulerTest, TheTokensAreThoseOfOneSequence) {
  forward_.pinned[test::kReturn] = -100;
  const GenerationRequest request = Ask("hello", 12);
  const GenerationResult result = Run(request);
  EXPECT_EQ(result.finish, FinishReason::kTokenLimit);
  ASSERT_EQ(result.tokens.size(), 12U);
  Ids sequence = request.prompt;
  std::vector<float> row(test::kVocabulary);
  for (const GeneratedToken& token : result.tokens) {
    forward_.Row(sequence, row);
    const auto best = std::max_element(row.begin(), row.end()) - row.begin();
    EXPECT_EQ(token.id, static_cast<std::uint32_t>(best));
    EXPECT_EQ(*token.logprob, static_cast<double>(row[token.id]) - LogSumExp(row));
    sequence.push_back(token.id);
  }
  EXPECT_EQ(result.usage.sampled_tokens, 12U);
  EXPECT_EQ(result.usage.prompt_tokens, request.prompt.size());
  EXPECT_EQ(result.FinalIds().size(), 12U) << "without channels all is the final message";
  EXPECT_EQ(forward_.alive(), 0U);
}

TEST_F(SchedulerTest, StopTokenEndsAndIsNotText) {
  forward_.pinned[test::kReturn] = 100;
  GenerationRequest request = Ask("hello");
  request.script = Ids{'a', 'b'};
  std::vector<std::uint32_t> streamed;
  request.on_token = [&](const GeneratedToken& token) { streamed.push_back(token.id); };
  const GenerationResult result = Run(request);
  EXPECT_EQ(result.finish, FinishReason::kStopToken);
  EXPECT_EQ(IdsOf(result), (Ids{'a', 'b', test::kReturn}));
  EXPECT_EQ(result.FinalIds(), (Ids{'a', 'b'}));
  EXPECT_EQ(streamed, IdsOf(result));
  EXPECT_TRUE(result.tokens[0].forced);
  EXPECT_FALSE(result.tokens[0].logprob.has_value());
  EXPECT_EQ(result.usage.forced_tokens, 2U);
}

TEST_F(SchedulerTest, TimeLimitAndCancellation) {
  forward_.pinned[test::kReturn] = -100;
  GenerationRequest request = Ask("hello", 1000);
  request.time_max = seconds(5);
  const GenerationResult result = Run(request);
  EXPECT_EQ(result.finish, FinishReason::kTimeLimit);
  EXPECT_EQ(result.tokens.size(), 5U);

  Scheduler scheduler(forward_, *vocabulary_, settings_);
  std::optional<GenerationResult> cancelled;
  scheduler.Add(
      RequestId{1}, Ask("hello", 1000), [&](GenerationResult r) { cancelled = std::move(r); },
      now_);
  scheduler.StepOnce();
  scheduler.StepOnce();
  scheduler.Cancel(RequestId{7});
  EXPECT_FALSE(cancelled.has_value());
  scheduler.Cancel(RequestId{1});
  ASSERT_TRUE(cancelled.has_value());
  EXPECT_EQ(cancelled->finish, FinishReason::kCancelled);
  EXPECT_EQ(cancelled->tokens.size(), 2U);
  EXPECT_FALSE(scheduler.StepOnce());
  EXPECT_EQ(forward_.alive(), 0U);
}

TEST_F(SchedulerTest, APolicyIsComputedOnce) {
  const std::string policy(500, 'p');
  std::vector<GenerationRequest> requests;
  for (int i = 0; i < 20; ++i) {
    requests.push_back(Ask(policy + std::to_string(i), 3));
    requests.back().prompt = vocabulary_->Encode(policy);
    const std::size_t end = requests.back().prompt.size();
    requests.back().prefix_ends = {end};
    requests.back().prompt.push_back(static_cast<std::uint32_t>('a' + i));
  }
  const auto results = Run(std::move(requests));
  std::size_t cached = 0;
  for (const GenerationResult& result : results) {
    cached += result.usage.cached_tokens > 0 ? 1 : 0;
  }
  EXPECT_EQ(cached, 19U);
  EXPECT_EQ(counters_.prefix_hits, 19U);
  EXPECT_LT(counters_.tokens, 500U + 20 * 5);
  EXPECT_EQ(forward_.batch_max, 20U);
}

TEST_F(SchedulerTest, ReasoningBudgetClosesTheAnalysis) {
  forward_.pinned[test::kReturn] = -100;
  for (std::uint32_t id = 291; id < 295; ++id) {
    forward_.pinned[id] = -100;
  }
  GenerationRequest request = Ask("question", 200);
  const auto& c = test::kChannels;
  for (const std::uint32_t id : {c.start, c.assistant, c.channel, test::kAnalysis, c.message}) {
    request.prompt.push_back(id);
  }
  request.reasoning = ReasoningLimits{.tokens = c, .tokens_max = 7};
  request.grammar = Schema(R"({"type":"object","properties":{"violation":{"enum":[0,1]}},
                               "required":["violation"]})");
  const GenerationResult result = Run(request);
  EXPECT_EQ(result.finish, FinishReason::kGrammarComplete);
  const Ids ids = IdsOf(result);
  const Ids closing{c.end, c.start, c.assistant, c.channel, c.final, c.message};
  ASSERT_GT(ids.size(), 13U);
  EXPECT_EQ(Ids(ids.begin() + 7, ids.begin() + 13), closing);
  EXPECT_EQ(result.final_begin, 13U);
  EXPECT_EQ(result.usage.reasoning_tokens, 13U);
  const std::string text = vocabulary_.Text(result.FinalIds());
  EXPECT_TRUE(text == R"({"violation":0})" || text == R"({"violation":1})") << text;
  // The seven tokens of reasoning and the digit were sampled; everything else was certain.
  EXPECT_EQ(result.usage.sampled_tokens, 8U);
  EXPECT_EQ(result.FinalIds(), vocabulary_->Encode(text));
}

TEST_F(SchedulerTest, TheEndOfTheFinalMessageIsTheEnd) {
  forward_.pinned[test::kChannels.end] = 100;
  GenerationRequest request = Ask("question");
  const auto& c = test::kChannels;
  for (const std::uint32_t id : {c.start, c.assistant, c.channel, c.final, c.message}) {
    request.prompt.push_back(id);
  }
  request.reasoning = ReasoningLimits{.tokens = c};
  const GenerationResult result = Run(request);
  EXPECT_EQ(result.finish, FinishReason::kStopToken);
  EXPECT_EQ(result.tokens.size(), 1U);
  EXPECT_TRUE(result.FinalIds().empty());
  EXPECT_TRUE(result.final_opened);
}

TEST_F(SchedulerTest, GrammarHoldsUnderEverySampling) {
  const auto grammar = Schema(R"({"type":"object","properties":{
      "violation":{"enum":[0,1]},"why":{"type":"string","maxLength":9},
      "ids":{"type":"array","items":{"enum":["ab","inab"]},"maxItems":3}},
      "required":["violation","why","ids"]})");
  std::vector<GenerationRequest> requests;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    requests.push_back(Ask("p" + std::to_string(seed), 400));
    requests.back().grammar = grammar;
    requests.back().sampling.temperature = seed % 3 == 0 ? 0 : 1.5;
    requests.back().sampling.top_k = seed % 5 == 0 ? 4 : 0;
    requests.back().sampling.seed = seed;
  }
  std::size_t forced = 0;
  for (const GenerationResult& result : Run(std::move(requests))) {
    EXPECT_EQ(result.finish, FinishReason::kGrammarComplete);
    const std::string text = vocabulary_.Text(result.FinalIds());
    EXPECT_TRUE(grammar->Matches(text).value()) << text;
    forced += result.usage.forced_tokens;
  }
  EXPECT_GT(forced, 60U * 5);
}

TEST_F(SchedulerTest, StopOnlyWhereTheGrammarAccepts) {
  forward_.pinned[test::kReturn] = 100;
  GenerationRequest request = Ask("p");
  request.grammar = Grammar::FromRegex("[a-c]{3,5}").value();
  const GenerationResult result = Run(request);
  EXPECT_EQ(result.finish, FinishReason::kStopToken);
  EXPECT_GE(vocabulary_.Text(result.FinalIds()).size(), 3U);
}

// Against the sum over every label by hand.
TEST_F(SchedulerTest, LabelScores) {
  GenerationRequest request = Ask("p");
  request.grammar =
      Schema(R"({"type":"object","properties":{"label":{"enum":["vio","violation","ok","x"]}},
                 "required":["label"]})");
  request.probe = LabelProbe{
      .after = "{\"label\":\"", .labels = {"vio", "violation", "ok\"", "x"}, .stop = true};
  const GenerationResult result = Run(request);
  EXPECT_EQ(result.finish, FinishReason::kProbed);
  ASSERT_TRUE(result.scores.has_value());
  Ids base = request.prompt;
  for (const GeneratedToken& token : result.tokens) {
    EXPECT_TRUE(token.forced);
    base.push_back(token.id);
  }
  const std::string written = vocabulary_.Text(IdsOf(result));
  const std::string rest = std::string("{\"label\":\"").substr(written.size());
  const auto logprob = [&](const std::string& label) {
    Ids sequence = base;
    double sum = 0;
    std::vector<float> row(test::kVocabulary);
    for (const std::uint32_t id : vocabulary_->Encode(rest + label)) {
      forward_.Row(sequence, row);
      sum += static_cast<double>(row[id]) - LogSumExp(row);
      sequence.push_back(id);
    }
    return sum;
  };
  const LabelScores& scores = *result.scores;
  EXPECT_NEAR(scores.logprobs[1], logprob("violation"), 1e-9);
  EXPECT_NEAR(scores.logprobs[2], logprob("ok\""), 1e-9);
  EXPECT_NEAR(scores.logprobs[3], logprob("x"), 1e-9);
  const Ids shorter = vocabulary_->Encode(rest + "vio");
  const Ids longer = vocabulary_->Encode(rest + "violation");
  ASSERT_TRUE(std::equal(shorter.begin(), shorter.end(), longer.begin())) << "else no prefix";
  Ids sequence = base;
  sequence.insert(sequence.end(), shorter.begin(), shorter.end());
  std::vector<float> row(test::kVocabulary);
  forward_.Row(sequence, row);
  const double on = std::exp(static_cast<double>(row[longer[shorter.size()]]) - LogSumExp(row));
  EXPECT_NEAR(scores.logprobs[0], logprob("vio") + std::log1p(-on), 1e-9);
  double sum = 0;
  for (const double p : scores.probabilities) {
    sum += p;
  }
  EXPECT_NEAR(sum, 1, 1e-12);
  EXPECT_NEAR(scores.LogOdds(3), std::log(scores.probabilities[3] / (1 - scores.probabilities[3])),
              1e-9);
  EXPECT_EQ(forward_.alive(), 0U);
}

TEST_F(SchedulerTest, AProbeOnTheWayChangesNothing) {
  GenerationRequest request = Ask("p", 100);
  request.grammar = Grammar::FromRegex("v=(no|yes), because [a-z]{4,8}!").value();
  const GenerationResult plain = Run(request);
  request.probe = LabelProbe{.after = "v=", .labels = {"no", "yes"}};
  const GenerationResult probed = Run(request);
  EXPECT_EQ(plain.tokens, probed.tokens);
  ASSERT_TRUE(probed.scores.has_value());
  EXPECT_EQ(probed.finish, FinishReason::kGrammarComplete);
}

TEST_F(SchedulerTest, BadLogitsAreErrorsOfTheirRequest) {
  forward_.pinned[5] = std::nanf("");
  GenerationResult result = Run(Ask("p"));
  EXPECT_EQ(result.finish, FinishReason::kError);
  ASSERT_TRUE(result.error.has_value());
  EXPECT_NE(result.error->message.find("token 5"), std::string::npos);
}

// Forward has less memory than the scheduler was told: nobody is lost, and the answers are the
// same.
TEST_F(SchedulerTest, WithoutMemoryTheYoungestIsComputedAgain) {
  forward_.pinned[test::kReturn] = -100;
  std::vector<GenerationRequest> requests;
  for (int i = 0; i < 4; ++i) {
    requests.push_back(Ask(std::string(100, 'p') + std::to_string(i), 60));
  }
  const auto expected = Run(requests);
  forward_.bytes_max = 300;
  const auto results = Run(requests);
  for (std::size_t i = 0; i < results.size(); ++i) {
    EXPECT_EQ(results[i].finish, FinishReason::kTokenLimit);
    EXPECT_EQ(results[i].tokens, expected[i].tokens);
  }
  EXPECT_GT(counters_.preemptions, 0U);
  EXPECT_EQ(results[0].usage.preemptions, 0U) << "the oldest goes on";
  forward_.bytes_max = 120;  // not even for one alone
  for (const GenerationResult& result : Run(requests)) {
    EXPECT_EQ(result.finish, FinishReason::kError);
    EXPECT_EQ(result.error->code, ErrorCode::kLimit);
  }
  EXPECT_EQ(forward_.alive(), 0U);
}

TEST_F(SchedulerTest, WhatCouldNeverEndIsRefused) {
  GenerationRequest request = Ask("hello", 100);
  EXPECT_TRUE(CheckMemory(request, forward_, 110, 64).has_value());
  const Status refused = CheckMemory(request, forward_, 50, 64);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kLimit);
}

// A forced run is one step, however long.
TEST_F(SchedulerTest, AForcedRunIsOneStep) {
  GenerationRequest request = Ask("p", 400);
  request.grammar =
      Grammar::FromRegex("[ab] is what the answer is, and because of that [cd]!").value();
  const GenerationResult result = Run(request);
  EXPECT_EQ(result.finish, FinishReason::kGrammarComplete);
  EXPECT_GT(result.usage.forced_tokens, 30U);
  EXPECT_LE(counters_.steps, result.usage.sampled_tokens + 1);
  EXPECT_LE(counters_.steps, 5U);
  EXPECT_GE(counters_.forced_runs, 1U);
  EXPECT_EQ(counters_.forced_tokens, result.usage.forced_tokens);
}

TEST_F(SchedulerTest, OnlyWhatCanBeChosenIsUnembedded) {
  GenerationRequest request = Ask("p");
  request.grammar = Grammar::FromChoice(std::vector<std::string>{"0", "1"}).value();
  const GenerationResult whole = Run(request);
  EXPECT_EQ(counters_.restricted_rows, 0U) << "log-probabilities need all";
  request.sampling.logprobs = false;
  const GenerationResult few = Run(request);
  EXPECT_EQ(counters_.restricted_rows, 1U);
  EXPECT_EQ(counters_.rows, 1U);
  EXPECT_EQ(IdsOf(few), IdsOf(whole));
  request.probe = LabelProbe{.after = "", .labels = {"0", "1"}};
  const GenerationResult mass = Run(request);
  EXPECT_EQ(counters_.restricted_rows, 0U) << "so does their mass";
  request.probe->relative = true;
  const GenerationResult relative = Run(request);
  EXPECT_EQ(counters_.restricted_rows, 1U);
  EXPECT_EQ(IdsOf(relative), IdsOf(whole));
  ASSERT_TRUE(relative.scores && mass.scores);
  EXPECT_TRUE(mass.scores->mass.has_value());
  EXPECT_FALSE(relative.scores->mass.has_value());
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_NEAR(relative.scores->probabilities[i], mass.scores->probabilities[i], 1e-12);
  }
}

TEST_F(SchedulerTest, AnInstantScoreIsOneStepAndSamplesNothing) {
  GenerationRequest request = Ask("p");
  request.sampling.logprobs = false;
  request.probe = LabelProbe{.after = "", .labels = {"0", "1"}, .stop = true, .relative = true};
  const GenerationResult result = Run(request);
  EXPECT_EQ(result.finish, FinishReason::kProbed);
  EXPECT_EQ(counters_.steps, 1U);
  EXPECT_EQ(counters_.restricted_rows, 1U);
  EXPECT_TRUE(result.tokens.empty());
}

// The labels of many requests are read in one step, not in one each.
TEST_F(SchedulerTest, LabelsOfSeveralTokensShareAStep) {
  std::vector<GenerationRequest> requests;
  for (int i = 0; i < 6; ++i) {
    requests.push_back(Ask("p" + std::to_string(i)));
    requests.back().probe = LabelProbe{.after = "", .labels = {"yes", "no!"}, .stop = true};
  }
  const auto results = Run(requests);
  EXPECT_EQ(counters_.probes, 6U);
  EXPECT_EQ(counters_.probe_steps, 1U);
  for (const GenerationResult& result : results) {
    EXPECT_EQ(result.finish, FinishReason::kProbed);
  }
  EXPECT_EQ(Run(requests[3]).scores, results[3].scores);
  EXPECT_EQ(forward_.alive(), 0U);
}

TEST_F(SchedulerTest, APromptAloneIsComputedAndKept) {
  GenerationRequest request = Ask(std::string(40, 'x'), 0);
  request.prefix_ends = {request.prompt.size() - 1};
  GenerationRequest more = Ask(std::string(39, 'x') + "yz", 3);
  more.prompt[request.prefix_ends[0] - 1] = request.prompt[request.prefix_ends[0] - 1];
  const auto results = Run({request, request});
  EXPECT_EQ(results[0].finish, FinishReason::kTokenLimit);
  EXPECT_TRUE(results[0].tokens.empty());
  EXPECT_EQ(results[0].usage.cached_tokens, 0U);
  EXPECT_EQ(results[1].usage.cached_tokens, request.prefix_ends[0]);
  EXPECT_EQ(counters_.rows, 0U);
}

// While a new policy is computed, in pieces, every running answer goes on in every step.
TEST_F(SchedulerTest, ANewPolicyStallsNobody) {
  forward_.pinned[test::kReturn] = -100;
  settings_.sequences_max = 16;
  settings_.step_tokens_max = 64;
  Scheduler scheduler(forward_, *vocabulary_, settings_);
  std::vector<std::size_t> tokens(8);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    GenerationRequest running = Ask("content " + std::to_string(i), 300);
    running.on_token = [&tokens, i](const GeneratedToken& /*token*/) { ++tokens[i]; };
    scheduler.Add(static_cast<RequestId>(i + 1), running, [](const GenerationResult&) {}, now_);
  }
  scheduler.StepOnce();
  GenerationRequest fresh = Ask("c", 5);
  fresh.prompt.assign(2000, 'p');
  fresh.prefix_ends = {1990};
  bool done = false;
  scheduler.Add(RequestId{100}, fresh, [&done](const GenerationResult&) { done = true; }, now_);
  while (!done) {
    const std::vector<std::size_t> before = tokens;
    scheduler.StepOnce();
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      ASSERT_EQ(tokens[i], before[i] + 1);
    }
  }
  EXPECT_GE(scheduler.counters().steps, 2000U / 64);
  scheduler.CancelAll();
}

TEST_F(SchedulerTest, RequestsAreChecked) {
  const auto refused = [](const GenerationRequest& request) {
    return !CheckRequest(request, test::kVocabulary, 100).has_value();
  };
  GenerationRequest good = Ask("p");
  EXPECT_FALSE(refused(good));
  GenerationRequest request = good;
  request.prompt.clear();
  EXPECT_TRUE(refused(request));
  request = good;
  request.prompt.assign(100, 1);
  EXPECT_TRUE(refused(request));
  request = good;
  request.prompt = {test::kVocabulary};
  EXPECT_TRUE(refused(request));
  request = good;
  request.prefix_ends = {2};
  EXPECT_TRUE(refused(request));
  request = good;
  request.probe = LabelProbe{.after = "", .labels = {"a", "a"}};
  EXPECT_TRUE(refused(request));
  request = good;
  request.sampling.top_p = 0;
  EXPECT_TRUE(refused(request));
  request = good;
  request.reasoning = ReasoningLimits{};
  EXPECT_TRUE(refused(request)) << "the ids of o200k_harmony are not in this vocabulary";
}

}  // namespace
}  // namespace safeguard::engine
