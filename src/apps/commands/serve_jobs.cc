#include "apps/commands/serve_jobs.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>
#include <utility>

#include "base/utc_time.h"

namespace safeguard::apps {
namespace {

using moderation::JobStep;

// Which thread does what.
constexpr std::size_t kJudging = 0;
constexpr std::size_t kEvals = 1;
constexpr std::size_t kFirstSender = 2;
constexpr std::size_t kSenders = 2;
constexpr std::size_t kFirstRouted = kFirstSender + kSenders;
// Jobs that one of those takes at once: the rest is left to the others.
constexpr std::size_t kRoutedAtOnce = 2;
constexpr std::size_t kPrunedAtOnce = 10'000;
constexpr auto kPruneEvery = std::chrono::minutes(10);
constexpr auto kIdle = std::chrono::milliseconds(100);
constexpr int kLongestPause = 100;  // times kIdle, while the store gives trouble

// A worker that takes nothing while it may not.
class PausedWorker final : public moderation::JobWorker {
 public:
  PausedWorker(std::unique_ptr<moderation::JobWorker> worker, std::function<bool()> may)
      : worker_(std::move(worker)), may_(std::move(may)) {}
  Result<std::size_t> Work() override { return may_() ? worker_->Work() : 0; }

 private:
  std::unique_ptr<moderation::JobWorker> worker_;
  std::function<bool()> may_;
};

}  // namespace

void AddJobGauges(http::Metrics& metrics,
                  std::function<std::map<std::string, moderation::JobQueue*>()> queues) {
  const auto count = [&queues](std::size_t moderation::JobCounts::* which) {
    return [queues, which] {
      std::map<std::string, double> values;
      for (const auto& [tenant, queue] : queues()) {
        const auto counts = queue->Counts("", UtcNow());
        values[tenant] = counts ? static_cast<double>((*counts).*which) : std::nan("");
      }
      return values;
    };
  };
  metrics.SetGauges("safeguard_jobs_waiting", "Jobs that wait", "tenant",
                    count(&moderation::JobCounts::waiting));
  metrics.SetGauges("safeguard_jobs_dead", "Jobs that were given up and wait for a person",
                    "tenant", count(&moderation::JobCounts::dead));
}

ServeJobs::ServeJobs(ServeJobsParts parts)
    : parts_(std::move(parts)), random_(moderation::SeededRandom(std::random_device{}())) {
  posts_.resize(kFirstRouted + parts_.route_threads);
  for (std::size_t t = 0; t < posts_.size(); ++t) {
    threads_.emplace_back([this, t] { Run(t); });
  }
}

ServeJobs::~ServeJobs() {
  Stop();
}

moderation::WorkerOptions ServeJobs::OptionsOf(const JobsOfTenant& tenant) const {
  moderation::WorkerOptions options;
  options.now = UtcNow;
  options.random = random_.get();
  options.name = fmt::format("serve:{}", ::getpid());
  options.webhook = tenant.webhook;
  options.routes = tenant.routes;
  if (!options.routes) {
    // What a route has put off asks for its reasoner, which a server's judge is not.
    options.routes = [](const moderation::Judgement& judgement) -> Result<moderation::RouteFinish> {
      return Fail(ErrorCode::kNotFound, "this server has no route " + judgement.route,
                  "safeguard jobs run --route FILE finishes it");
    };
  }
  options.on_event = [this](const moderation::JobEvent& event) {
    if (event.step == JobStep::kPutBack || event.step == JobStep::kBuried) {
      parts_.tell(event.step == JobStep::kBuried ? "job-dead" : "job-put-back",
                  event.job->id + ": " + event.detail);
    }
  };
  return options;
}

void ServeJobs::Add(JobsOfTenant tenant) {
  moderation::WorkerOptions options = OptionsOf(tenant);
  const auto post = [&](std::size_t thread, std::unique_ptr<moderation::JobWorker> worker) {
    posts_[thread].push_back(std::make_unique<Post>(Post{&tenant.queue, std::move(worker)}));
  };
  const std::lock_guard lock(mutex_);
  const auto judging = [&] {
    return moderation::JudgementWorker(
        tenant.queue, tenant.log, &tenant.judge,
        [&shelf = tenant.shelf](const moderation::JudgedPolicy& policy) {
          return shelf.Find(policy.policy, policy.text);
        },
        options);
  };
  post(kJudging, judging());
  if (tenant.evals != nullptr) {
    post(kEvals, std::move(tenant.evals));
  }
  for (std::size_t t = kFirstSender; tenant.sender != nullptr && t < kFirstRouted; ++t) {
    auto worker = moderation::NoticeWorker(tenant.queue, *tenant.sender, options);
    post(t, tenant.may_send ? std::make_unique<PausedWorker>(std::move(worker), tenant.may_send)
                            : std::move(worker));
  }
  options.batch = kRoutedAtOnce;
  for (std::size_t t = kFirstRouted; tenant.routes && t < posts_.size(); ++t) {
    post(t, judging());
  }
}

void ServeJobs::Stop() {
  stopping_.store(true);
  for (std::thread& thread : threads_) {
    if (thread.joinable()) {
      thread.join();
    }
  }
}

// One round of the thread's posts: how many jobs it took. An error keeps no other tenant's work
// from being done; the first is returned.
Result<std::size_t> ServeJobs::WorkOnce(std::size_t thread, bool prunes) {
  std::vector<Post*> posts;
  {
    const std::lock_guard lock(mutex_);
    for (const std::unique_ptr<Post>& post : posts_[thread]) {
      posts.push_back(post.get());
    }
  }
  Result<std::size_t> all = 0;
  for (Post* post : posts) {
    Result<std::size_t> worked = 0;
    if (prunes) {
      worked = post->queue->Prune(kPrunedAtOnce, UtcNow());
    }
    worked = worked && !stopping_.load() ? post->worker->Work() : worked;
    if (!worked) {
      all = all ? worked : all;
    } else if (all) {
      *all += *worked;
    }
  }
  return all;
}

void ServeJobs::Run(std::size_t thread) {
  int failures = 0;
  auto pruned = std::chrono::steady_clock::now() - kPruneEvery;
  while (!stopping_.load()) {
    const auto now = std::chrono::steady_clock::now();
    const bool prunes = thread == kJudging && now - pruned >= kPruneEvery;
    pruned = prunes ? now : pruned;
    const Result<std::size_t> worked = WorkOnce(thread, prunes);
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
