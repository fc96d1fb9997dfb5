// Parts of a cascade that go wrong in every way that parts do, by a seed: slow, silent, wrong,
// failing, crashing. Every statement that a judge makes is on a ledger, so that a verdict that
// nobody has given can be told.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "moderation/cascade/route/test_parts.h"

namespace safeguard::simulation {

using namespace moderation;  // NOLINT(google-build-using-namespace): one test
using moderation::route::TestCalls;
using moderation::route::TestClock;
using moderation::route::TestPrepared;

// The process dies here; what is on the disk stays.
struct Crash {};

struct Trouble {
  double slow = 0;   // chance that a call takes long
  double hang = 0;   // that it never ends
  double fail = 0;   // that a verdict is a failure
  double lie = 0;    // that it is the wrong way round
  double lose = 0;   // that a call gives too few verdicts
  double crash = 0;  // that the process dies in a call
  double disk = 0;   // that the disk refuses
};

// What the outside world knows and keeps over restarts.
struct World {
  explicit World(std::uint64_t seed) : random(SeededRandom(seed)) {}

  bool Happens(double chance) { return random->Uniform() < chance; }
  double Between(double low, double high) { return low + (high - low) * random->Uniform(); }
  void MaybeCrash() {
    if (Happens(trouble.crash)) {
      ++crashes;
      throw Crash{};
    }
  }

  Trouble trouble;
  std::unique_ptr<RandomSource> random;
  std::shared_ptr<TestClock> clock = std::make_shared<TestClock>();
  // layer -> "#12" -> what it has ever said of that content.
  std::map<std::string, std::map<std::string, std::set<Outcome>>> said;
  std::map<std::string, DeferredItem> disk;  // by key
  double tokens = 0;                         // that reasoners have really used
  std::size_t crashes = 0;
};

// "0.50 #12 bad dear judge": score, name, truth, and what else is to happen.
inline std::string NameOf(const Content& content) {
  const std::string& text = content.messages.front().text;
  const std::size_t at = text.find('#');
  return at == std::string::npos ? "" : text.substr(at, text.find(' ', at) - at);
}

class TroubledJudge final : public Judge {
 public:
  TroubledJudge(World& world, std::string layer, Duration usual)
      : world_(world), layer_(std::move(layer)), usual_(usual) {}

  Result<std::shared_ptr<const PreparedPolicy>> Prepare(const Policy& policy,
                                                        std::span<const GoldenCase>) override {
    return std::make_shared<TestPrepared>(policy);
  }

  std::vector<Verdict> Decide(std::span<const std::shared_ptr<const PreparedPolicy>> policies,
                              std::span<const Content> contents) override {
    world_.MaybeCrash();
    std::vector<Verdict> verdicts;
    for (const Content& content : contents) {
      for (const auto& policy : policies) {
        verdicts.push_back(One(policy->policy(), content));
      }
    }
    Duration takes = usual_ * static_cast<int>(contents.size());
    takes *= world_.Happens(world_.trouble.slow) ? 40 : 1;
    takes += world_.Happens(world_.trouble.hang) ? Duration(std::chrono::hours(1)) : Duration{0};
    world_.clock->Advance(takes);
    if (world_.Happens(world_.trouble.lose)) {
      verdicts.resize(verdicts.size() / 2);
    }
    return verdicts;
  }

 private:
  Verdict One(const Policy& policy, const Content& content) {
    const bool screen = layer_ == "screen";
    Verdict verdict = screen ? moderation::route::ScreenAnswer(content)
                             : moderation::route::ReasonerAnswer(content);
    if (world_.Happens(world_.trouble.lie)) {
      verdict = moderation::route::TestVerdict(
          layer_, verdict.outcome == Outcome::kViolation ? Outcome::kSafe : Outcome::kViolation,
          verdict.outcome == Outcome::kViolation ? 0.02 : 0.98);
    }
    if (world_.Happens(world_.trouble.fail)) {
      static constexpr UndeterminedReason kReasons[] = {
          UndeterminedReason::kModelUnavailable, UndeterminedReason::kUnreadableAnswer,
          UndeterminedReason::kInternalError, UndeterminedReason::kRefusal};
      verdict = Undetermined(policy.Reference(), kReasons[world_.random->Bits() % 4], "broken");
    }
    verdict.policy = policy.Reference();
    verdict.decided_by.layer = layer_;
    if (!screen) {
      verdict.tokens = {.prompt = 60 + world_.random->Bits() % 80, .answer = 10};
      world_.tokens += static_cast<double>(verdict.tokens.prompt + verdict.tokens.answer);
    }
    world_.said[layer_][NameOf(content)].insert(verdict.outcome);
    return verdict;
  }

  World& world_;
  std::string layer_;
  Duration usual_;
};

class TroubledLists final : public ListLayer {
 public:
  explicit TroubledLists(World& world) : world_(world) {}
  Result<std::vector<ListHit>> Match(const Content& content, const Policy&) override {
    if (world_.Happens(world_.trouble.fail)) {
      return Fail(ErrorCode::kUnavailable, "the lists are gone");
    }
    std::vector<ListHit> hits;
    if (content.messages.front().text.find("known") != std::string::npos) {
      hits.push_back({.effect = ListEffect::kViolation, .list = "hashes", .entry = "1"});
      world_.said["list"][NameOf(content)].insert(Outcome::kViolation);
    }
    return hits;
  }

 private:
  World& world_;
};

// Dies before or after the item is safe; says no when the disk does.
class DiskQueue final : public DeferredWork {
 public:
  explicit DiskQueue(World& world) : world_(world) {}
  Status Defer(const DeferredItem& item) override {
    world_.MaybeCrash();
    if (world_.Happens(world_.trouble.disk)) {
      return Fail(ErrorCode::kUnavailable, "the disk is full");
    }
    world_.disk.emplace(item.key, item);
    world_.MaybeCrash();
    return {};
  }
  std::size_t Backlog() override { return world_.disk.size(); }

 private:
  World& world_;
};

}  // namespace safeguard::simulation
