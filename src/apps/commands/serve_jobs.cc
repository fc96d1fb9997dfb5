#include "apps/commands/serve_jobs.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

#include "base/utc_time.h"

namespace safeguard::apps {
namespace {

using moderation::JobStep;

constexpr std::size_t kSenders = 2;
constexpr std::size_t kPrunedAtOnce = 10'000;
constexpr auto kPruneEvery = std::chrono::minutes(10);
constexpr auto kIdle = std::chrono::milliseconds(100);
constexpr int kLongestPause = 100;  // times kIdle, while the store gives trouble

}  // namespace

ServeJobs::ServeJobs(ServeJobsParts parts)
    : parts_(std::move(parts)), random_(moderation::SeededRandom(std::random_device{}())) {
  moderation::WorkerOptions options;
  options.now = UtcNow;
  options.random = random_.get();
  options.name = fmt::format("serve:{}", ::getpid());
  // What a route has put off asks for its reasoner, which a server's judge is not.
  options.routes = [](const moderation::Judgement& judgement) -> Result<moderation::RouteFinish> {
    return Fail(ErrorCode::kNotFound,
                "a server does not finish what route " + judgement.route + " put off",
                "safeguard jobs run does");
  };
  options.on_event = [this](const moderation::JobEvent& event) {
    if (event.step == JobStep::kPutBack || event.step == JobStep::kBuried) {
      parts_.tell(event.step == JobStep::kBuried ? "job-dead" : "job-put-back",
                  event.job->id + ": " + event.detail);
    }
  };
  workers_.push_back(moderation::JudgementWorker(
      parts_.queue, parts_.log, &parts_.judge,
      [this](const moderation::JudgedPolicy& policy) {
        return parts_.shelf.Find(policy.policy, policy.text);
      },
      options));
  for (std::size_t s = 0; parts_.sender != nullptr && s < kSenders; ++s) {
    workers_.push_back(moderation::NoticeWorker(parts_.queue, *parts_.sender, options));
  }
  if (parts_.evals != nullptr) {
    workers_.push_back(std::move(parts_.evals));
  }
  for (const auto& worker : workers_) {
    threads_.emplace_back([this, &worker] { Run(*worker, worker == workers_.front()); });
  }
}

ServeJobs::~ServeJobs() {
  Stop();
}

void ServeJobs::Stop() {
  stopping_.store(true);
  for (std::thread& thread : threads_) {
    if (thread.joinable()) {
      thread.join();
    }
  }
}

void ServeJobs::Run(moderation::JobWorker& worker, bool prunes) {
  int failures = 0;
  auto pruned = std::chrono::steady_clock::now() - kPruneEvery;
  while (!stopping_.load()) {
    const auto now = std::chrono::steady_clock::now();
    Result<std::size_t> worked = 0;
    if (prunes && now - pruned >= kPruneEvery) {
      pruned = now;
      worked = parts_.queue.Prune(kPrunedAtOnce, UtcNow());
    }
    worked = worked ? worker.Work() : worked;
    if (!worked) {
      if (failures++ == 0) {  // the same trouble is told once until it has gone
        parts_.tell("jobs-trouble", Describe(worked.error()));
      }
    } else {
      failures = 0;
    }
    const int pauses = worked && *worked > 0 ? 0 : std::min(1 + failures * failures, kLongestPause);
    for (int pause = 0; pause < pauses && !stopping_.load(); ++pause) {
      std::this_thread::sleep_for(kIdle);
    }
  }
}

}  // namespace safeguard::apps
