#include "apps/bench/measure.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <utility>

namespace safeguard::apps {
namespace {

using Clock = std::chrono::steady_clock;
using Ids = std::vector<std::uint32_t>;

constexpr std::size_t kOrdinaryIds = 199'998;  // o200k's; control tokens stand behind

Ids RandomIds(const BenchShape& shape, std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(shape.seed * 1'000'003 + seed);
  std::uniform_int_distribution<std::uint32_t> id(
      0, static_cast<std::uint32_t>(std::min(shape.vocabulary, kOrdinaryIds) - 1));
  Ids ids(count);
  std::ranges::generate(ids, [&] { return id(random); });
  return ids;
}

// Greedy, and nothing ends the answer but its length.
engine::GenerationRequest NewRequest(Ids prompt, std::size_t answer_tokens) {
  engine::GenerationRequest request;
  request.prompt = std::move(prompt);
  request.tokens_max = answer_tokens;
  request.stop_tokens.clear();
  request.sampling.logprobs = false;
  return request;
}

// Content `index` behind the policy.
engine::GenerationRequest ItemRequest(const BenchShape& shape, std::size_t index,
                                      std::size_t answer_tokens) {
  Ids prompt = RandomIds(shape, shape.policy_tokens, 0);
  const Ids content = RandomIds(shape, shape.content_tokens, index + 1);
  prompt.insert(prompt.end(), content.begin(), content.end());
  engine::GenerationRequest request = NewRequest(std::move(prompt), answer_tokens);
  request.prefix_ends = {shape.policy_tokens};
  return request;
}

struct Moment {
  Clock::time_point at;
  std::uint64_t steps = 0;  // until the step before this token's
  std::uint64_t expert_reads = 0;
};

struct Times {
  std::vector<Moment> tokens;
};

// While every sequence decodes: from the last one's first token to the first one's last. Counters
// are a step behind, so theirs begins with the second token.
struct Window {
  Clock::time_point begin;
  Moment counted_from;
  Moment end;
};

Window CommonWindow(const std::vector<Times>& sequences) {
  Window window = {.begin = Clock::time_point::min(),
                   .counted_from = {Clock::time_point::min()},
                   .end = {Clock::time_point::max()}};
  for (const Times& times : sequences) {
    const Moment& second = times.tokens[std::min<std::size_t>(1, times.tokens.size() - 1)];
    window.begin = std::max(window.begin, times.tokens.front().at);
    window.counted_from = std::ranges::max(window.counted_from, second, {}, &Moment::at);
    window.end = std::ranges::min(window.end, times.tokens.back(), {}, &Moment::at);
  }
  return window;
}

double ExpertReads(const Window& window) {
  const auto steps =
      static_cast<double>(window.end.steps) - static_cast<double>(window.counted_from.steps);
  return steps <= 0
             ? 0
             : static_cast<double>(window.end.expert_reads - window.counted_from.expert_reads) /
                   steps;
}

struct AllDone {
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t left = 0;
  std::optional<Error> error;
};

// Submits all of them and waits; the time of every token of each.
Result<std::vector<Times>> RunAll(engine::Generator& generator,
                                  std::vector<engine::GenerationRequest> requests,
                                  const std::atomic<bool>& stop) {
  std::vector<Times> times(requests.size());
  AllDone all;
  all.left = requests.size();
  std::vector<engine::RequestId> ids;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    requests[i].on_token = [&times, &generator, i](const engine::GeneratedToken&) {
      const engine::GeneratorCounters counters = generator.counters();
      times[i].tokens.push_back({Clock::now(), counters.steps, counters.expert_reads});
    };
    auto done = [&all](const engine::GenerationResult& result) {
      const std::scoped_lock lock(all.mutex);
      if (result.error && !all.error) {
        all.error = result.error;
      }
      --all.left;
      all.changed.notify_all();
    };
    auto submitted = generator.Submit(std::move(requests[i]), done);
    const std::scoped_lock lock(all.mutex);
    if (!submitted) {
      all.error = submitted.error();
      --all.left;
      continue;
    }
    ids.push_back(*submitted);
  }
  std::unique_lock lock(all.mutex);
  bool cancelled = false;
  while (all.left > 0) {
    all.changed.wait_for(lock, std::chrono::milliseconds(100));
    if (stop.load() && !cancelled) {
      cancelled = true;
      all.error = Error{ErrorCode::kUnavailable, "stopped", ""};
      lock.unlock();
      std::ranges::for_each(ids, [&generator](engine::RequestId id) { generator.Cancel(id); });
      lock.lock();
    }
  }
  if (all.error) {
    return std::unexpected(*all.error);
  }
  return times;
}

double Seconds(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

Status WarmPolicy(engine::Generator& generator, const BenchShape& shape,
                  const std::atomic<bool>& stop) {
  std::vector<engine::GenerationRequest> requests;
  requests.push_back(ItemRequest(shape, 1'000'000, 1));
  auto run = RunAll(generator, std::move(requests), stop);
  return run ? Status() : Status(std::unexpected(std::move(run.error())));
}

}  // namespace

Result<BenchRate> MeasurePrefill(engine::Generator& generator, const BenchShape& shape,
                                 std::size_t tokens, const std::atomic<bool>& stop) {
  std::vector<engine::GenerationRequest> requests;
  requests.push_back(NewRequest(RandomIds(shape, tokens, 2'000'000 + tokens), 1));
  const auto begin = Clock::now();
  auto run = RunAll(generator, std::move(requests), stop);
  if (!run) {
    return std::unexpected(std::move(run.error()));
  }
  return BenchRate{static_cast<double>(tokens) / Seconds(begin)};
}

Result<BenchRate> MeasureDecode(engine::Generator& generator, const BenchShape& shape,
                                std::size_t batch, std::size_t answer_tokens,
                                const std::atomic<bool>& stop) {
  std::vector<engine::GenerationRequest> requests;
  for (std::size_t i = 0; i < batch; ++i) {
    requests.push_back(ItemRequest(shape, i, answer_tokens));
  }
  auto run = RunAll(generator, std::move(requests), stop);
  if (!run) {
    return std::unexpected(std::move(run.error()));
  }
  const Window window = CommonWindow(*run);
  std::size_t count = 0;
  for (const Times& times : *run) {
    count += static_cast<std::size_t>(std::ranges::count_if(times.tokens, [&](const Moment& token) {
      return window.begin < token.at && token.at <= window.end.at;
    }));
  }
  if (count == 0) {
    return Fail(ErrorCode::kInvalidInput, "the sequences never decoded all at once",
                "ask for longer answers or a smaller batch");
  }
  const std::chrono::duration<double> seconds = window.end.at - window.begin;
  return BenchRate{static_cast<double>(count) / seconds.count(), ExpertReads(window)};
}

Result<BenchRate> MeasureItems(engine::Generator& generator, const BenchShape& shape,
                               std::size_t in_flight, const std::atomic<bool>& stop) {
  if (Status warm = WarmPolicy(generator, shape, stop); !warm) {
    return std::unexpected(std::move(warm.error()));
  }
  std::vector<engine::GenerationRequest> requests;
  for (std::size_t i = 0; i < in_flight; ++i) {
    requests.push_back(ItemRequest(shape, 1000 + i, shape.answer_tokens));
  }
  const auto begin = Clock::now();
  auto run = RunAll(generator, std::move(requests), stop);
  if (!run) {
    return std::unexpected(std::move(run.error()));
  }
  return BenchRate{60 * static_cast<double>(in_flight) / Seconds(begin),
                   ExpertReads(CommonWindow(*run))};
}

Result<BenchRate> MeasureInstant(engine::Generator& generator, const BenchShape& shape,
                                 std::size_t count, const std::atomic<bool>& stop) {
  if (Status warm = WarmPolicy(generator, shape, stop); !warm) {
    return std::unexpected(std::move(warm.error()));
  }
  std::vector<engine::GenerationRequest> requests;
  for (std::size_t i = 0; i < count; ++i) {
    engine::GenerationRequest request = ItemRequest(shape, 2000 + i, 1);
    request.probe = engine::LabelProbe{.labels = {"0", "1"}, .stop = true};
    requests.push_back(std::move(request));
  }
  const auto begin = Clock::now();
  auto run = RunAll(generator, std::move(requests), stop);
  if (!run) {
    return std::unexpected(std::move(run.error()));
  }
  return BenchRate{static_cast<double>(count) / Seconds(begin)};
}

}  // namespace safeguard::apps
