// Stand-ins for tests of cascades: a clock that only the test moves, judges that answer by a
// function after a simulated time, and sinks in memory.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "moderation/cascade.h"

namespace safeguard::moderation::route {

class TestClock final : public Clock {
 public:
  [[nodiscard]] Duration Now() const override { return now_; }
  void Advance(Duration by) { now_ += by; }
  void Set(Duration to) { now_ = to; }

 private:
  Duration now_{};
};

// Runs the work at once; what it takes is what it advances the clock by. Late work has been done,
// but the clock stands at the limit and its result is not looked at, as with threads.
class TestCalls final : public TimedCalls {
 public:
  explicit TestCalls(std::shared_ptr<TestClock> clock) : clock_(std::move(clock)) {}

  End RunWithin(Duration limit, std::function<void()> work) override {
    if (busy) {
      return End::kBusy;
    }
    const Duration begin = clock_->Now();
    work();
    if (clock_->Now() - begin <= limit) {
      return End::kDone;
    }
    clock_->Set(begin + std::max(limit, Duration{0}));
    return End::kLate;
  }

  bool busy = false;

 private:
  std::shared_ptr<TestClock> clock_;
};

class TestPrepared final : public PreparedPolicy {
 public:
  explicit TestPrepared(Policy policy) : policy_(std::move(policy)) {}
  [[nodiscard]] const Policy& policy() const override { return policy_; }

 private:
  Policy policy_;
};

class TestJudge final : public Judge {
 public:
  using Answer = std::function<Verdict(const Policy&, const Content&, std::uint64_t sample)>;
  TestJudge(std::shared_ptr<TestClock> clock, Answer answer)
      : answer_(std::move(answer)), clock_(std::move(clock)) {}

  Result<std::shared_ptr<const PreparedPolicy>> Prepare(const Policy& policy,
                                                        std::span<const GoldenCase>) override {
    return std::make_shared<TestPrepared>(policy);
  }
  std::vector<Verdict> Decide(std::span<const std::shared_ptr<const PreparedPolicy>> policies,
                              std::span<const Content> contents) override {
    return DecideSample(policies, contents, 0);
  }
  std::vector<Verdict> DecideSample(std::span<const std::shared_ptr<const PreparedPolicy>> policies,
                                    std::span<const Content> contents,
                                    std::uint64_t sample) override {
    std::vector<Verdict> verdicts;
    for (const Content& content : contents) {
      for (const auto& policy : policies) {
        verdicts.push_back(answer_(policy->policy(), content, sample));
        verdicts.back().policy = policy->policy().Reference();
        ++asked;
        clock_->Advance(takes);
      }
    }
    verdicts.resize(verdicts.size() - std::min(verdicts.size(), lost));
    return verdicts;
  }

  Duration takes{};      // of one verdict
  std::size_t lost = 0;  // verdicts left out at the end
  std::size_t asked = 0;

 private:
  Answer answer_;
  std::shared_ptr<TestClock> clock_;
};

inline Verdict TestVerdict(const std::string& layer, Outcome outcome, double score) {
  Verdict verdict;
  verdict.outcome = outcome;
  verdict.reason = outcome == Outcome::kUndetermined ? UndeterminedReason::kUncertain
                                                     : UndeterminedReason::kNone;
  verdict.score = score;
  verdict.decided_by = {.layer = layer, .model = "test", .model_hash = "f00d", .settings = {}};
  return verdict;
}

// A screen that reads the score out of the text ("0.25 hello"), with a band from .3 to .7.
inline Verdict ScreenAnswer(const Content& content) {
  const double score = std::stod(content.messages.front().text);
  return TestVerdict("screen",
                     score >= 0.7  ? Outcome::kViolation
                     : score < 0.3 ? Outcome::kSafe
                                   : Outcome::kUndetermined,
                     score);
}

// A reasoner that finds "bad" anywhere.
inline Verdict ReasonerAnswer(const Content& content) {
  const bool bad = std::ranges::any_of(content.messages, [](const Message& message) {
    return message.text.find("bad") != std::string::npos;
  });
  Verdict verdict =
      TestVerdict("reasoner", bad ? Outcome::kViolation : Outcome::kSafe, bad ? 0.95 : 0.05);
  verdict.tokens = {.prompt = 80, .cached = 0, .reasoning = 15, .answer = 5};
  return verdict;
}

class TestLists final : public ListLayer {
 public:
  Result<std::vector<ListHit>> Match(const Content& content, const Policy&) override {
    if (fails) {
      return Fail(ErrorCode::kUnavailable, "the lists are not there");
    }
    std::vector<ListHit> hits;
    for (const auto& [text, hit] : entries) {
      if (content.messages.front().text.find(text) != std::string::npos) {
        hits.push_back(hit);
      }
    }
    return hits;
  }
  std::map<std::string, ListHit> entries;  // by the text that hits
  bool fails = false;
};

class TestTamper final : public TamperDetector {
 public:
  TamperFinding Inspect(const Content& content) override {
    const bool found = content.messages.front().text.find("dear judge") != std::string::npos;
    return {found, found ? std::vector<std::string>{"injection"} : std::vector<std::string>{}, {}};
  }
};

class TestLanguages final : public LanguageDetector {
 public:
  LanguageGuess Detect(const Content& content) override {
    const std::string& text = content.messages.front().text;
    if (text.find("hallo") != std::string::npos) {
      return {"de", 0.9};
    }
    if (text.find("mixed") != std::string::npos) {
      return {"en", 0.9, {{"en", 0.9}, {"fr", 0.1}}};
    }
    if (text.find("lol") != std::string::npos) {
      return {};
    }
    return text.find("perhaps") != std::string::npos ? LanguageGuess{"en", 0.4}
                                                     : LanguageGuess{"en", 0.9};
  }
};

class TestDeferred final : public DeferredWork {
 public:
  Status Defer(const DeferredItem& item) override {
    if (fails) {
      return Fail(ErrorCode::kUnavailable, "the disk is full");
    }
    items.push_back(item);
    return {};
  }
  std::size_t Backlog() override { return items.size(); }
  std::vector<DeferredItem> items;
  bool fails = false;
};

class TestReview final : public ReviewSink {
 public:
  Status File(const ReviewItem& item) override {
    items.push_back(item);
    return {};
  }
  std::vector<ReviewItem> items;
};

inline Policy TestPolicy(const std::string& id = "spam") {
  Policy policy;
  policy.id = id;
  policy.version = "1";
  policy.hash = std::string(64, 'a');
  policy.languages = {"en"};
  Rule rule;
  rule.id = "S1";
  rule.text = "no bad things";
  rule.side = Side::kViolating;
  policy.rules.push_back(std::move(rule));
  policy.examples.push_back({.text = "0.9 bad example",
                             .label = "1",
                             .rule_ids = {},
                             .side = Side::kViolating,
                             .line = 1});
  return policy;
}

// A cascade over these stand-ins: a screen, one reasoner ("low") and all sinks.
struct TestHouse {
  TestHouse() {
    settings.reasoners.push_back({.name = "low"});
    screen = std::make_shared<TestJudge>(
        clock,
        [](const Policy&, const Content& content, std::uint64_t) { return ScreenAnswer(content); });
    reasoners.push_back(
        std::make_shared<TestJudge>(clock, [](const Policy&, const Content& content,
                                              std::uint64_t) { return ReasonerAnswer(content); }));
  }

  Cascade& Open() {
    CascadeParts parts;
    parts.lists = lists;
    parts.screen = screen;
    parts.reasoners.assign(reasoners.begin(), reasoners.end());
    parts.languages = languages;
    parts.tamper = tamper;
    parts.review = review;
    parts.deferred = defers ? deferred : nullptr;
    parts.clock = clock;
    parts.random = SeededRandom(settings.seed);
    parts.calls = calls;
    parts.on_alarm = [this](const RecallAlarm& alarm) { alarms.push_back(alarm); };
    cascade = MakeCascade(settings, std::move(parts));
    prepared = *cascade->Prepare(policy, {});
    return *cascade;
  }
  Verdict Judge(const std::string& text) { return Judge(UserMessage(text)); }
  Verdict Judge(const Content& content) {
    return cascade->Decide(std::span(&prepared, 1), std::span(&content, 1)).front();
  }

  RouteSettings settings;
  Policy policy = TestPolicy();
  std::shared_ptr<TestClock> clock = std::make_shared<TestClock>();
  std::shared_ptr<TestCalls> calls = std::make_shared<TestCalls>(clock);
  std::shared_ptr<TestJudge> screen;
  std::vector<std::shared_ptr<TestJudge>> reasoners;
  std::shared_ptr<TestLists> lists = std::make_shared<TestLists>();
  std::shared_ptr<TestLanguages> languages = std::make_shared<TestLanguages>();
  std::shared_ptr<TestTamper> tamper = std::make_shared<TestTamper>();
  std::shared_ptr<TestReview> review = std::make_shared<TestReview>();
  std::shared_ptr<TestDeferred> deferred = std::make_shared<TestDeferred>();
  bool defers = false;
  std::vector<RecallAlarm> alarms;
  std::unique_ptr<Cascade> cascade;
  std::shared_ptr<const PreparedPolicy> prepared;
};

}  // namespace safeguard::moderation::route
