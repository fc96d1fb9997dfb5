// Routes with different contracts on one proxy, their streams side by side, and judges that stop in
// the middle: an observer that reads only what the clients read, and knows which texts were judged,
// counts what each shows before it is judged. Each keeps its own N, never the other's.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "http/guard/test_streams.h"
#include "http/proxy/routed_proxy.h"

namespace safeguard::http {
namespace {

using guard::WireFormat;
using moderation::RandomSource;
using namespace std::chrono_literals;

constexpr std::array<std::size_t, 5> kContracts = {0, 1, 8, 32, 100};

std::size_t Below(RandomSource& random, std::size_t end) {
  return static_cast<std::size_t>(random.Uniform() * static_cast<double>(end));
}

// Judges so many contents of streams, then waits until it may go on. What it has called safe is
// known before anybody hears of it.
class HaltingJudge final : public moderation::Judge {
 public:
  Result<std::shared_ptr<const moderation::PreparedPolicy>> Prepare(
      const moderation::Policy& policy, std::span<const moderation::GoldenCase>) override {
    return std::make_shared<FakePrepared>(policy);
  }
  std::vector<moderation::Verdict> Decide(
      std::span<const std::shared_ptr<const moderation::PreparedPolicy>> policies,
      std::span<const moderation::Content> contents) override {
    std::vector<moderation::Verdict> verdicts;
    for (const moderation::Content& content : contents) {
      const std::string& text = content.messages.front().text;
      const bool bad = text.find("bad") != std::string::npos;
      std::unique_lock lock(mutex_);
      if (content.kind == moderation::ContentKind::kCompletion) {
        // A window of a stream that was blocked before may come late: it holds up nobody.
        const auto late = [&] { return whole_.find(text) == std::string::npos; };
        moved_.wait(lock, [&] { return left_ > 0 || late(); });
        if (!late()) {
          --left_;
          if (!bad) {
            judged_.push_back(text);
          }
        }
      }
      moderation::Verdict verdict;
      verdict.policy = policies.front()->policy().Reference();
      verdict.outcome = bad ? moderation::Outcome::kViolation : moderation::Outcome::kSafe;
      verdict.reason = moderation::UndeterminedReason::kNone;
      verdict.score = bad ? 0.9 : 0.1;
      verdict.decided_by = {"screen", "halting", std::string(64, 'f')};
      verdicts.push_back(std::move(verdict));
    }
    return verdicts;
  }

  // Of the answer `whole`, `contents` parts are judged until GoOn().
  void Begin(const std::string& whole, std::size_t contents) {
    const std::lock_guard lock(mutex_);
    whole_ = whole;
    judged_.clear();
    left_ = contents;
    moved_.notify_all();
  }
  void GoOn() {
    const std::lock_guard lock(mutex_);
    left_ = 1'000'000;
    moved_.notify_all();
  }
  // How far the answer `whole` has been judged from its beginning without a gap.
  std::size_t JudgedTo(const std::string& whole) {
    std::vector<std::pair<std::size_t, std::size_t>> ranges;
    {
      const std::lock_guard lock(mutex_);
      for (const std::string& text : judged_) {
        if (const std::size_t at = whole.find(text); at != std::string::npos) {
          ranges.emplace_back(at, at + text.size());
        }
      }
    }
    std::ranges::sort(ranges);
    std::size_t to = 0;
    for (const auto& [begin, end] : ranges) {
      to = begin <= to ? std::max(to, end) : to;
    }
    return to;
  }

 private:
  std::mutex mutex_;
  std::condition_variable moved_;
  std::string whole_;
  std::size_t left_ = 0;
  std::vector<std::string> judged_;
};

// Words with numbers, so that any piece of an answer stands in it once, and in no other one.
std::vector<guard::Said> MakeAnswer(RandomSource& random, std::size_t& next_word) {
  std::vector<guard::Said> said;
  const std::size_t words = 3 + Below(random, 90);
  for (std::size_t w = 0; w < words; ++w) {
    std::string word = "w" + std::to_string(next_word++);
    word += Below(random, 60) == 0 ? "bad" : "";
    word += Below(random, 9) == 0 ? ". " : Below(random, 20) == 0 ? ".\n" : " ";
    if (said.empty() || Below(random, 3) > 0) {
      said.push_back({std::move(word)});
    } else {
      said.back().text += word;
    }
  }
  return said;
}

// One stream under one route, as its reader has it.
struct Reader {
  std::size_t route = 0;
  WireFormat format = WireFormat::kOpenAiChat;
  std::string whole;  // what the upstream says
  std::future<Response> answer{};
  std::optional<Response> response{};
  std::string bytes{};
  bool ended = false;

  void Look() {
    if (!response && answer.wait_for(0s) == std::future_status::ready) {
      response = answer.get();
      ended = response->stream == nullptr;
    }
    if (response && !ended) {
      const BodyStream::Part part = response->stream->Take();
      bytes += part.bytes;
      ended = part.ended;
    }
  }
};

class ContractsTest : public ::testing::Test {
 protected:
  ContractsTest() {
    for (std::size_t r = 0; r < kContracts.size(); ++r) {
      GuardOptions options;
      options.stream.contract = {.tokens_max = kContracts[r], .visible_max = 60s};
      options.stream.limits.score_max = 60s;
      options.stream.limits.stall_max = 60s;
      options.judge_time_max = 60s;
      proxy.judging.batch_contents_max = 1;
      proxy.Add(std::to_string(kContracts[r]), judges[r], options);
    }
    proxy.Add("", judges[0], {});
    proxy.Start();
  }

  ~ContractsTest() override {
    for (HaltingJudge& judge : judges) {
      judge.GoOn();
    }
  }

  Reader Open(std::size_t route, RandomSource& random) {
    Reader reader;
    reader.route = route;
    reader.format = static_cast<WireFormat>(Below(random, 3));
    const std::vector<guard::Said> said = MakeAnswer(random, next_word_);
    for (const guard::Said& piece : said) {
      reader.whole += piece.text;
    }
    judges[route].Begin(reader.whole, Below(random, 5));
    proxy.upstream.Set(
        {.body = guard::StreamIn(reader.format, said), .piece = 1 + Below(random, 300)});
    reader.answer = proxy.Send(reader.format, "hello", true,
                               {{kRouteHeader, std::to_string(kContracts[route])}});
    ++asked_;
    while (proxy.upstream.requests().size() < asked_) {
      std::this_thread::yield();  // the script is taken when the upstream is asked
    }
    return reader;
  }

  // What is shown and not judged; looked at first what is shown, for more may be judged meanwhile.
  std::size_t Exposed(Reader& reader) {
    reader.Look();
    const std::string seen = guard::Read(reader.format, reader.bytes).content;
    EXPECT_TRUE(reader.whole.starts_with(seen)) << seen;
    const std::size_t judged = judges[reader.route].JudgedTo(reader.whole);
    std::size_t ink = 0;  // white space needs no verdict
    for (std::size_t at = judged; at < seen.size(); ++at) {
      ink += seen[at] != ' ' && seen[at] != '\n' ? 1 : 0;
    }
    return ink;
  }

  std::array<HaltingJudge, kContracts.size()> judges;
  RoutedProxy proxy;

 private:
  std::size_t asked_ = 0;
  std::size_t next_word_ = 100'000;
};

TEST_F(ContractsTest, EachRouteKeepsItsOwnBesideTheOthers) {
  std::array<std::size_t, kContracts.size()> most{};
  std::size_t blocked = 0;
  std::size_t completed = 0;
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    const auto random = moderation::SeededRandom(seed);
    const std::size_t one = Below(*random, kContracts.size());
    const std::size_t other = (one + 1 + Below(*random, kContracts.size() - 1)) % kContracts.size();
    const int drained = proxy.upstream.drained();
    std::vector<Reader> readers;
    readers.push_back(Open(one, *random));
    readers.push_back(Open(other, *random));
    // Until each upstream has said all, and its stream waits for a judge or has ended.
    const auto settled = [&] {
      int ended = 0;
      for (Reader& reader : readers) {
        const std::size_t exposed = Exposed(reader);
        most[reader.route] = std::max(most[reader.route], exposed);
        EXPECT_LE(exposed, kContracts[reader.route]) << "seed " << seed;
        ended += reader.ended ? 1 : 0;
      }
      return proxy.upstream.drained() - drained + ended >= 2;
    };
    while (!settled()) {
      std::this_thread::sleep_for(200us);
    }
    for (const Reader& reader : readers) {
      judges[reader.route].GoOn();
    }
    for (Reader& reader : readers) {
      while (!reader.ended) {
        EXPECT_LE(Exposed(reader), kContracts[reader.route]) << "seed " << seed;
      }
      const guard::Seen seen = guard::Read(reader.format, reader.bytes);
      const bool bad = reader.whole.find("bad") != std::string::npos;
      EXPECT_EQ(bad, seen.end != "stop" && seen.end != "end_turn") << "seed " << seed;
      EXPECT_TRUE(bad || seen.content == reader.whole) << "seed " << seed;
      ++(bad ? blocked : completed);
    }
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
  // The streams do what they are for: contracts are used, as far as they go.
  EXPECT_EQ(most[0], 0U);
  EXPECT_GT(most[3], kContracts[2]);
  EXPECT_GT(most[4], kContracts[3]);
  EXPECT_GT(blocked, 30U);
  EXPECT_GT(completed, 30U);
}

}  // namespace
}  // namespace safeguard::http
