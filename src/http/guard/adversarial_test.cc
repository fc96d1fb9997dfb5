// 10,000 seeded streams from upstreams that mean harm: late payloads, floods, stalls, deaths, tool
// calls in between, cuts anywhere, and scorers that answer late and out of order. An observer that
// reads only what the client reads, and knows which texts were judged, counts what was visible
// before it was judged: never more than the contract says.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/guard/stream_guard.h"
#include "http/guard/test_streams.h"
#include "moderation/clock.h"

namespace safeguard::guard {
namespace {

using moderation::RandomSource;

std::size_t Below(RandomSource& random, std::size_t end) {
  return static_cast<std::size_t>(random.Uniform() * static_cast<double>(end));
}

// White space needs no verdict.
std::size_t Ink(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return c != ' ' && c != '\n'; }));
}

// What was asked about and judged, as the scorers know it.
struct Observer {
  std::map<std::string, std::map<std::uint64_t, std::size_t>> asked;  // ink of each request
  std::set<std::uint64_t> judged;

  void Ask(const ScoreRequest& request) {
    if (request.kind == AskKind::kWindow) {
      asked[request.channel][request.id] =
          Ink(std::string_view(request.text).substr(request.fresh));
    }
  }
  // At the beginning of each channel with this name's end, judged safe without a gap.
  [[nodiscard]] std::size_t JudgedInk(std::string_view name) const {
    std::size_t ink = 0;
    for (const auto& [channel, windows] : asked) {
      if (!channel.ends_with(name)) {
        continue;
      }
      for (const auto& [id, fresh] : windows) {
        if (!judged.contains(id)) {
          break;
        }
        ink += fresh;
      }
    }
    return ink;
  }
};

struct Attack {
  GuardSettings settings;
  std::string bytes;
  bool has_payload = false;
};

Attack MakeAttack(RandomSource& random) {
  Attack attack;
  attack.settings.format = static_cast<WireFormat>(Below(random, 4));
  const std::size_t limits[] = {0, 0, 1, 8, 32, 100};
  attack.settings.contract.tokens_max = limits[Below(random, 6)];
  attack.settings.contract.visible_max = milliseconds(50 + Below(random, 500));
  attack.settings.windows.in_flight_max = 1 + Below(random, 4);
  attack.settings.whole_pass = Below(random, 2) == 0;
  if (Below(random, 3) == 0) {
    attack.settings.doubt_at = 0.5;
  }
  const char* words[] = {"fine ",      "so.",    "\n",
                         "and\u00e9 ", "maybe ", "\u4f60\u597d\u3002",
                         "well! ",     "x",      "one two three four. "};
  std::vector<Said> said;
  const std::size_t pieces = 1 + Below(random, 14);
  for (std::size_t i = 0; i < pieces; ++i) {
    Said piece{words[Below(random, 9)]};
    if (attack.settings.format != WireFormat::kPlainText && Below(random, 8) == 0) {
      piece.kind = Below(random, 2) == 0 ? TextKind::kTool : TextKind::kReasoning;
    }
    if (Below(random, 12) == 0) {
      piece.text = std::string(Below(random, 700), 'w') + " ";  // a flood
    }
    if (Below(random, 12) == 0) {
      piece.text += "bad";
      attack.has_payload = true;
    }
    said.push_back(std::move(piece));
  }
  attack.bytes = StreamIn(attack.settings.format, said);
  if (Below(random, 8) == 0) {
    attack.bytes.resize(Below(random, attack.bytes.size()));  // the upstream dies
    attack.has_payload = attack.has_payload && attack.bytes.find("bad") != std::string::npos;
  }
  return attack;
}

// One stream on a clock of its own. Every arrival and every score is an event at some time.
class Simulation {
 public:
  Simulation(Attack attack, RandomSource& random)
      : attack_(std::move(attack)), random_(random), guard_(attack_.settings, Duration::zero()) {}

  void Run() {
    Duration arrival = Duration::zero();
    std::size_t at = 0;
    bool finished = false;
    for (int steps = 0; !guard_.ended() && steps < 100'000; ++steps) {
      std::optional<Duration> next = guard_.next_deadline();
      const bool reads = !finished && guard_.wants_input();
      if (!scores_.empty() && (!next || scores_.begin()->first <= *next)) {
        next = scores_.begin()->first;
      }
      if (reads && (!next || arrival <= *next)) {
        now_ = std::max(now_, arrival);
        const std::size_t size = std::min(1 + Below(random_, 200), attack_.bytes.size() - at);
        Take(size > 0 ? guard_.Feed(attack_.bytes.substr(at, size), now_)
                      : guard_.Finish(false, now_));
        finished = size == 0;
        at += size;
        arrival =
            now_ + milliseconds(Below(random_, 30) == 0 ? Below(random_, 400) : Below(random_, 20));
        continue;
      }
      ASSERT_TRUE(next.has_value()) << "the machine waits for nothing";
      now_ = std::max(now_, *next);
      if (!scores_.empty() && scores_.begin()->first <= now_) {
        const ScoreRequest request = scores_.begin()->second;
        scores_.erase(scores_.begin());
        const WindowScore score = ScoreWords(request.text);
        if (score.outcome == moderation::Outcome::kSafe &&
            !(request.kind == AskKind::kWindow && attack_.settings.doubt_at &&
              *score.score >= *attack_.settings.doubt_at)) {
          observer_.judged.insert(request.kind == AskKind::kPrefix ? about_[request.id]
                                                                   : request.id);
        }
        doubted_ = request.id;
        Take(guard_.Scored(request.id, score, now_));
      } else {
        Take(guard_.Tick(now_));
      }
    }
    ASSERT_TRUE(guard_.ended());
  }

  void Check() const {
    for (const ChannelLedger& channel : guard_.ledger().channels()) {
      if (guard_.state() == GuardState::kCompleted) {
        EXPECT_EQ(UncoveredBytes(channel), 0U);
      }
    }
    const LedgerSummary summary = guard_.ledger().Summary();
    EXPECT_LE(summary.exposed_tokens_max, attack_.settings.contract.tokens_max);
    EXPECT_LE(summary.unscanned_bytes, attack_.settings.contract.tokens_max);
    if (guard_.state() == GuardState::kCompleted) {
      EXPECT_FALSE(attack_.has_payload);
    }
    EXPECT_LE(exposed_most_, attack_.settings.contract.tokens_max);
  }

  [[nodiscard]] std::size_t exposed_most() const { return exposed_most_; }
  [[nodiscard]] GuardState state() const { return guard_.state(); }
  [[nodiscard]] std::size_t tokens_max() const { return attack_.settings.contract.tokens_max; }

 private:
  void Take(Step step) {
    for (ScoreRequest& request : step.ask) {
      if (request.kind == AskKind::kPrefix) {
        about_[request.id] = doubted_;
      }
      observer_.Ask(request);
      scores_.emplace(now_ + milliseconds(Below(random_, 80)), std::move(request));
    }
    if (!step.release.empty()) {  // nothing else makes more visible
      released_ += step.release;
      Observe();
    }
  }

  // What a reader has and no verdict covers.
  void Observe() {
    const Seen seen = Read(attack_.settings.format, released_);
    constexpr const char* kContent[] = {"/content", "/0 output_text", "/text", "text"};
    constexpr const char* kReasoning[] = {"/reasoning", "/0 reasoning_text", "/thinking", "none"};
    const auto format = static_cast<std::size_t>(attack_.settings.format);
    const auto over = [](std::size_t shown, std::size_t judged) {
      return shown > judged ? shown - judged : 0;
    };
    exposed_most_ = std::max(
        exposed_most_, over(Ink(seen.content), observer_.JudgedInk(kContent[format])) +
                           over(Ink(seen.reasoning), observer_.JudgedInk(kReasoning[format])));
  }

  Attack attack_;
  RandomSource& random_;
  StreamGuard guard_;
  Observer observer_;
  std::multimap<Duration, ScoreRequest> scores_;
  std::map<std::uint64_t, std::uint64_t> about_;
  std::uint64_t doubted_ = 0;
  std::string released_;
  Duration now_ = Duration::zero();
  std::size_t exposed_most_ = 0;
};

TEST(AdversarialStreams, ExposureIsNeverAboveTheContract) {
  std::map<GuardState, int> ends;
  std::size_t exposed_most = 0;
  for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
    const auto random = moderation::SeededRandom(seed);
    Simulation simulation(MakeAttack(*random), *random);
    simulation.Run();
    simulation.Check();
    ASSERT_FALSE(::testing::Test::HasFailure()) << "seed " << seed;
    ++ends[simulation.state()];
    exposed_most = std::max(exposed_most, simulation.exposed_most());
  }
  // The streams do what they are for.
  EXPECT_GT(ends[GuardState::kCompleted], 1000);
  EXPECT_GT(ends[GuardState::kViolation], 1000);
  EXPECT_GT(ends[GuardState::kFailed], 100);
  EXPECT_GT(exposed_most, 50U);
  RecordProperty("exposed_most", static_cast<int>(exposed_most));
}

}  // namespace
}  // namespace safeguard::guard
