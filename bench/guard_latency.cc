// What the stream guard adds to a stream's latency, on a simulated clock: an upstream of some
// tokens a second, scorers that take some milliseconds. For each piece of text, when a client could
// have read it without the guard, and when it can with it. Prints a table; exact, and the same each
// run.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "http/guard/stream_guard.h"
#include "http/guard/test_streams.h"
#include "moderation/clock.h"

namespace {

using safeguard::moderation::RandomSource;
using namespace safeguard::guard;  // NOLINT(google-build-using-namespace): one file, no header

// Answers of about `tokens` words in sentences of 4 to 20.
std::vector<Said> Answer(RandomSource& random, std::size_t tokens) {
  constexpr const char* kWords[] = {"water", "of",      "the",    "mountain", "and",
                                    "a",     "reading", "under",  "certain",  "light",
                                    "is",    "what",    "people", "call",     "it"};
  std::vector<Said> said;
  std::size_t left = 0;
  for (std::size_t i = 0; i < tokens; ++i) {
    left = left == 0 ? 4 + static_cast<std::size_t>(random.Uniform() * 17) : left;
    const auto word = static_cast<std::size_t>(random.Uniform() * 15);
    said.push_back({std::string(i == 0 ? "" : " ") + kWords[word] + (--left == 0 ? "." : "")});
  }
  return said;
}

struct Run {
  std::vector<double> added_ms;  // of each byte of content
  double first_ms = 0;           // of the first byte
  std::size_t exposed = 0;
  std::size_t requests = 0;
};

class Simulation {
 public:
  Simulation(GuardSettings settings, double score_ms, double tokens_per_s, RandomSource& random)
      : settings_(std::move(settings)),
        score_ms_(score_ms),
        gap_(static_cast<long>(1e6 / tokens_per_s)),
        random_(random),
        guard_(settings_, Duration::zero()) {}

  Run Go(const std::vector<Said>& said) {
    Duration arrival = Duration::zero();
    for (const Said& piece : said) {
      arrival += gap_;
      Until(arrival);
      now_ = arrival;
      arrived_.insert(arrived_.end(), piece.text.size(), arrival);
      Take(guard_.Feed(ChatDelta({{"content", piece.text}}), now_));
    }
    Take(guard_.Feed(ChatDelta(Json::object(), "stop") + "data: [DONE]\n\n", now_));
    Take(guard_.Finish(false, now_));
    Until(now_ + std::chrono::seconds(100));
    run_.exposed = guard_.ledger().Summary().exposed_tokens_max;
    return std::move(run_);
  }

 private:
  // Lognormal about the median, as measured times are.
  Duration ScoreTime() {
    const double u = std::max(random_.Uniform(), 1e-12);
    const double normal = std::sqrt(-2 * std::log(u)) * std::cos(6.283185307 * random_.Uniform());
    return Duration(static_cast<long>(score_ms_ * 1000 * std::exp(0.3 * normal)));
  }

  void Until(Duration end) {
    while (!guard_.ended()) {
      std::optional<Duration> next = guard_.next_deadline();
      if (!scores_.empty() && (!next || scores_.begin()->first <= *next)) {
        next = scores_.begin()->first;
      }
      if (!next || *next >= end) {
        return;
      }
      now_ = std::max(now_, *next);
      if (!scores_.empty() && scores_.begin()->first <= now_) {
        const ScoreRequest request = scores_.begin()->second;
        scores_.erase(scores_.begin());
        Take(guard_.Scored(request.id, ScoreWords(request.text), now_));
      } else {
        Take(guard_.Tick(now_));
      }
    }
  }

  void Take(Step step) {
    const std::size_t bytes = Read(settings_.format, step.release).content.size();
    for (std::size_t i = 0; i < bytes; ++i, ++seen_) {
      const double added = static_cast<double>((now_ - arrived_[seen_]).count()) / 1000;
      run_.first_ms = seen_ == 0 ? added : run_.first_ms;
      run_.added_ms.push_back(added);
    }
    for (ScoreRequest& request : step.ask) {
      ++run_.requests;
      scores_.emplace(now_ + ScoreTime(), std::move(request));
    }
  }

  GuardSettings settings_;
  double score_ms_;
  Duration gap_;
  RandomSource& random_;
  StreamGuard guard_;
  std::multimap<Duration, ScoreRequest> scores_;
  std::vector<Duration> arrived_;
  std::size_t seen_ = 0;
  Duration now_ = Duration::zero();
  Run run_;
};

double Quantile(std::vector<double> values, double q) {
  std::ranges::sort(values);
  return values.empty()
             ? 0
             : values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
}

void Row(std::size_t tokens_max, double score_ms, double tokens_per_s) {
  std::vector<double> added;
  std::vector<double> first;
  std::size_t exposed = 0;
  std::size_t requests = 0;
  constexpr int kStreams = 200;
  for (int stream = 0; stream < kStreams; ++stream) {
    const auto random = safeguard::moderation::SeededRandom(static_cast<std::uint64_t>(stream));
    GuardSettings settings;
    settings.contract.tokens_max = tokens_max;
    settings.count_tokens = [](std::string_view text) {  // a word and its space are a token here
      return static_cast<std::size_t>(std::ranges::count(text, ' ')) +
             (text.starts_with(' ') ? 0 : 1);
    };
    Simulation simulation(settings, score_ms, tokens_per_s, *random);
    const Run run = simulation.Go(Answer(*random, 200));
    added.insert(added.end(), run.added_ms.begin(), run.added_ms.end());
    first.push_back(run.first_ms);
    exposed = std::max(exposed, run.exposed);
    requests += run.requests;
  }
  std::printf("%6zu %8.0f %9.0f | %8.0f %8.0f | %8.0f %8.0f | %7zu %9.1f\n", tokens_max, score_ms,
              tokens_per_s, Quantile(first, 0.5), Quantile(first, 0.99), Quantile(added, 0.5),
              Quantile(added, 0.99), exposed, static_cast<double>(requests) / kStreams);
}

}  // namespace

int main() {
  std::printf(
      "     N score ms  tokens/s |   first text, ms  |    any text, ms   | exposed  requests\n");
  std::printf(
      "                          |      p50      p99 |      p50      p99 |     max  a stream\n");
  for (const double tokens_per_s : {50.0, 200.0}) {
    for (const double score_ms : {2.0, 10.0, 50.0}) {
      for (const std::size_t tokens_max : {0, 8, 32, 64}) {
        Row(tokens_max, score_ms, tokens_per_s);
      }
    }
  }
  return 0;
}
