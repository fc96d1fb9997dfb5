#include "http/judging.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/check.h"
#include "http/waiting_job.h"

namespace safeguard::http {
namespace {

using moderation::Channel;
using moderation::Content;
using moderation::Verdict;

// The lanes of the queue: a worker takes from one of them alone.
enum Lane : std::size_t { kShort, kLong, kLanes };

// One job's part of a call of the judge.
struct Part {
  WaitingPtr waiting;
  JudgeAnswer answer;
  std::vector<moderation::VerdictRecord> records;
};

// Contents that the same prepared policies judge.
struct Group {
  PolicyShelf::Route route;
  bool in_passing = false;
  std::vector<Content> contents;
  std::vector<std::pair<std::size_t, std::size_t>> where;  // part, content of its job
};

}  // namespace

class Judging::Impl {
 public:
  Impl(const JudgingParts& parts, const JudgingOptions& options)
      : parts_(parts), options_(options) {
    CHECK(options.workers >= 1 && options.batch_contents_max >= 1);
    for (std::size_t w = 0; w < options.workers; ++w) {
      workers_.emplace_back([this] { Work(kShort); });
    }
    workers_.emplace_back([this] { Work(kLong); });
    timer_ = std::thread([this] { WatchDeadlines(); });
  }

  bool Submit(JudgeJob job, JudgeDone done) {
    CHECK(!job.contents.empty());
    CHECK(job.audience == nullptr || job.contents.size() == 1);
    auto waiting = std::make_shared<Waiting>();
    waiting->job = std::move(job);
    waiting->done = std::move(done);
    const std::size_t contents = waiting->job.contents.size();
    const Lane lane = LaneOf(waiting->job);
    {
      const std::lock_guard lock(mutex_);
      if (stopping_ || contents_waiting_ + contents > options_.queue_contents_max) {
        return false;
      }
      contents_waiting_ += contents;
      queues_[lane].push_back(waiting);
      waiting->watched = deadlines_.emplace(waiting->job.deadline, waiting);
      if (waiting->job.deadline < watcher_sleeps_until_) {
        deadline_changed_.notify_one();
      }
    }
    work_there_[lane].notify_one();
    return true;
  }

  void SetQueueMax(std::size_t contents) {
    const std::lock_guard lock(mutex_);
    options_.queue_contents_max = contents;
  }

  std::size_t waiting() const {
    const std::lock_guard lock(mutex_);
    return contents_waiting_;
  }

  std::chrono::milliseconds Delay() const {
    const std::lock_guard lock(mutex_);
    const double seconds = static_cast<double>(contents_waiting_) * seconds_a_content_ /
                           static_cast<double>(options_.workers);
    return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
  }

  void Stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    for (std::condition_variable& there : work_there_) {
      there.notify_all();
    }
    for (std::thread& worker : workers_) {
      if (worker.joinable()) {
        worker.join();
      }
    }
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    deadline_changed_.notify_all();
    if (timer_.joinable()) {
      timer_.join();
    }
  }

 private:
  Lane LaneOf(const JudgeJob& job) const {
    std::size_t bytes = 0;
    for (const Content& content : job.contents) {
      bytes += moderation::TextBytes(content);
    }
    return bytes < options_.long_bytes ? kShort : kLong;
  }

  void Work(Lane lane) {
    for (;;) {
      const std::vector<WaitingPtr> batch = TakeBatch(lane);
      if (batch.empty()) {
        return;
      }
      const auto begin = Clock::now();
      std::size_t contents = 0;
      for (const WaitingPtr& waiting : batch) {
        contents += waiting->job.contents.size();
      }
      Judge(batch, lane);
      const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
      parts_.metrics.ObserveBatch(contents, seconds);
      const std::lock_guard lock(mutex_);
      Unwatch(batch);
      constexpr double kNewest = 0.1;  // of a moving average
      seconds_a_content_ +=
          kNewest * (seconds / static_cast<double>(contents) - seconds_a_content_);
    }
  }

  // They were answered. REQUIRES: the lock.
  void Unwatch(const std::vector<WaitingPtr>& batch) {
    for (const WaitingPtr& waiting : batch) {
      if (waiting->watched) {
        deadlines_.erase(*std::exchange(waiting->watched, std::nullopt));
      }
    }
  }

  // The oldest job with those that name the same policies, or nothing when it is over. Jobs whose
  // time was up before anybody began are dropped: they are answered already.
  std::vector<WaitingPtr> TakeBatch(Lane lane) {
    std::deque<WaitingPtr>& queue = queues_[lane];
    std::unique_lock lock(mutex_);
    std::vector<WaitingPtr> batch;
    while (batch.empty()) {
      work_there_[lane].wait(lock, [&] { return stopping_ || !queue.empty(); });
      if (queue.empty()) {
        return batch;
      }
      std::size_t contents = 0;
      std::size_t looked_at = 0;
      std::vector<WaitingPtr> left;
      for (WaitingPtr& waiting : queue) {
        if (contents >= options_.batch_contents_max) {
          break;
        }
        ++looked_at;
        const std::size_t own = waiting->job.contents.size();
        const bool fits = batch.empty() || (contents + own <= options_.batch_contents_max &&
                                            MayJoin(waiting->job, batch.front()->job));
        if (waiting->answered.load()) {
          contents_waiting_ -= own;
        } else if (fits) {
          contents += own;
          contents_waiting_ -= own;
          waiting->begun.store(true);
          batch.push_back(std::move(waiting));
        } else {
          left.push_back(std::move(waiting));
        }
      }
      queue.erase(queue.begin(), queue.begin() + static_cast<std::ptrdiff_t>(looked_at));
      queue.insert(queue.begin(), std::make_move_iterator(left.begin()),
                   std::make_move_iterator(left.end()));
    }
    if (!queue.empty()) {
      work_there_[lane].notify_one();
    }
    return batch;
  }

  // Whether the judge should give up what everybody has been answered about: long contents where
  // others wait for their worker, or they have had their time.
  bool GivesUp(const std::vector<WaitingPtr>& batch, Lane lane) const {
    const bool wanted = std::ranges::any_of(
        batch, [](const WaitingPtr& waiting) { return !waiting->answered.load(); });
    if (wanted) {
      return false;
    }
    const std::lock_guard lock(mutex_);
    return stopping_ || (lane == kLong && (!queues_[lane].empty() || IsLongOver(batch)));
  }

  void Judge(const std::vector<WaitingPtr>& batch, Lane lane) {
    const auto snapshot = parts_.shelf.Snapshot();
    if (!snapshot) {
      for (const WaitingPtr& waiting : batch) {
        waiting->Answer(std::unexpected(snapshot.error()));
      }
      return;
    }
    std::vector<Part> parts;
    std::vector<Group> groups;
    for (const WaitingPtr& waiting : batch) {
      Plan(waiting, snapshot->get(), parts, groups);
    }
    const moderation::StopSignal stop = [&] { return GivesUp(batch, lane); };
    for (Group& group : groups) {
      Decide(group, parts, stop);
    }
    Finish(parts);
    for (const Group& group : groups) {
      DecideShadows(group, parts, [&] { return IsLongOver(batch); });
    }
  }

  // Where it names none, the default ones are the tenant's.
  static bool IsOperators(const JudgeJob& job) { return job.of_operator && !job.policies.empty(); }

  // Puts each content of the job into the group of its route.
  void Plan(const WaitingPtr& waiting, const moderation::PolicySnapshot* snapshot,
            std::vector<Part>& parts, std::vector<Group>& groups) {
    const JudgeJob& job = waiting->job;
    const std::vector<std::string> names =
        job.policies.empty() ? parts_.shelf.DefaultNames(snapshot) : job.policies;
    std::vector<PolicyShelf::Route> routes;
    for (const Content& content : job.contents) {
      const std::string key = job.account.empty() ? moderation::ContentHash(content) : job.account;
      Result<PolicyShelf::Route> route = IsOperators(job)
                                             ? parts_.shelf.ResolveOperators(snapshot, names, key)
                                             : parts_.shelf.Resolve(snapshot, names, key);
      if (!route) {
        waiting->Answer(std::unexpected(route.error()));
        return;
      }
      routes.push_back(std::move(*route));
    }
    Part part{waiting, {}, {}};
    part.answer.policies = names.size();
    part.answer.verdicts.resize(names.size() * job.contents.size());
    part.answer.channels.resize(names.size() * job.contents.size());
    for (std::size_t c = 0; c < job.contents.size(); ++c) {
      auto group = std::ranges::find_if(groups, [&](const Group& other) {
        return other.in_passing == job.in_passing && other.route.policies == routes[c].policies &&
               other.route.shadows == routes[c].shadows;
      });
      if (group == groups.end()) {
        group = groups.insert(groups.end(), Group{routes[c], job.in_passing, {}, {}});
      }
      group->contents.push_back(job.contents[c]);
      group->where.emplace_back(parts.size(), c);
      std::ranges::copy(routes[c].channels, part.answer.channels.begin() +
                                                static_cast<std::ptrdiff_t>(c * names.size()));
    }
    parts.push_back(std::move(part));
  }

  void Decide(Group& group, std::vector<Part>& parts, const moderation::StopSignal& stop) {
    const std::size_t policies = group.route.policies.size();
    const Audience* audience = parts[group.where.front().first].waiting->job.audience.get();
    std::vector<Verdict> verdicts =
        audience == nullptr ? DecideSilently(group, parts, stop) : DecideAloud(group, *audience);
    CHECK(verdicts.size() == policies * group.contents.size());
    const moderation::TimeMs now = parts_.now();
    for (std::size_t g = 0; g < group.contents.size(); ++g) {
      const auto [p, c] = group.where[g];
      Part& part = parts[p];
      for (std::size_t i = 0; i < policies; ++i) {
        Verdict& verdict = verdicts[g * policies + i];
        const std::size_t at = c * policies + i;
        parts_.metrics.CountVerdict(verdict, part.answer.channels[at]);
        const bool wanted = !group.in_passing || verdict.outcome != moderation::Outcome::kSafe;
        if (parts_.log != nullptr && wanted) {
          part.records.push_back(moderation::RecordOf(
              verdict, group.contents[g], part.answer.channels[at], now, options_.keep_content));
          if (!part.waiting->job.key.empty()) {
            part.records.back().key =
                part.waiting->job.key + "/" + std::to_string(c) + "/" + verdict.policy.id;
          }
        }
        part.answer.verdicts[at] = std::move(verdict);
      }
    }
  }

  // A cascade has the time of whoever waits longest: nobody else's deadline may cut an answer
  // short.
  std::vector<Verdict> DecideSilently(const Group& group, const std::vector<Part>& parts,
                                      const moderation::StopSignal& stop) {
    if (group.in_passing) {
      return parts_.judge.DecideInPassing(group.route.policies, group.contents, stop);
    }
    if (parts_.cascade == nullptr) {
      return parts_.judge.DecideUntil(group.route.policies, group.contents, stop);
    }
    Clock::time_point last{};
    for (const auto& [p, c] : group.where) {
      last = std::max(last, parts[p].waiting->job.deadline);
    }
    return parts_.cascade->DecideWithin(group.route.policies, group.contents, TimeUntil(last));
  }

  std::vector<Verdict> DecideAloud(const Group& group, const Audience& audience) {
    audience.begun();
    std::vector<moderation::PolicyReference> references;
    for (const auto& policy : group.route.policies) {
      references.push_back(policy->policy().Reference());
    }
    moderation::Onlooker onlooker;
    onlooker.on_reasoning = [&](std::size_t policy, std::string_view text) {
      audience.reasoning(policy < references.size() ? &references[policy] : nullptr, text);
    };
    onlooker.stop = audience.gone;
    return parts_.judge.DecideAloud(group.route.policies, group.contents.front(), onlooker);
  }

  // Records everything in one transaction, then answers: what a client was told is kept. Who
  // answers is settled before, so that a record tells truly whether the deadline's answer came
  // first.
  void Finish(std::vector<Part>& parts) {
    std::vector<bool> ours;
    std::vector<moderation::VerdictRecord> records;
    for (Part& part : parts) {
      ours.push_back(part.waiting->Claim());
      for (moderation::VerdictRecord& record : part.records) {
        if (!ours.back()) {
          moderation::EarlierVerdict earlier;
          earlier.reason = moderation::UndeterminedReason::kTimeout;
          earlier.layer = "service";
          record.provisional = earlier;
        }
        records.push_back(std::move(record));
      }
    }
    const Status recorded = parts_.log == nullptr ? Status() : parts_.log->Append(records);
    for (std::size_t p = 0; p < parts.size(); ++p) {
      if (!ours[p]) {
        continue;
      }
      if (recorded) {
        parts[p].waiting->done(parts[p].answer);
      } else {
        Error error = recorded.error();
        error.message = "the verdict cannot be recorded: " + error.message;
        parts[p].waiting->done(std::unexpected(std::move(error)));
      }
    }
  }

  // After the answers: a shadow never makes one wait. Without a log nothing would come of it.
  void DecideShadows(const Group& group, const std::vector<Part>& parts,
                     const moderation::StopSignal& stop) {
    const std::size_t shadows = group.route.shadows.size();
    if (shadows == 0 || parts_.log == nullptr || group.in_passing) {
      return;
    }
    const std::vector<Verdict> verdicts =
        parts_.judge.DecideUntil(group.route.shadows, group.contents, stop);
    std::vector<moderation::VerdictRecord> records;
    for (std::size_t g = 0; g < group.contents.size(); ++g) {
      const JudgeAnswer& answer = parts[group.where[g].first].answer;
      for (std::size_t s = 0; s < shadows; ++s) {
        const Verdict& verdict = verdicts[g * shadows + s];
        const Verdict& answered =
            answer.verdicts[group.where[g].second * answer.policies + group.route.shadow_of[s]];
        parts_.metrics.CountVerdict(verdict, Channel::kShadow);
        if (verdict.outcome != answered.outcome) {
          parts_.metrics.CountShadowDisagreement(verdict.policy.id, verdict.policy.version);
        }
        records.push_back(moderation::RecordOf(verdict, group.contents[g], Channel::kShadow,
                                               parts_.now(), options_.keep_content));
      }
    }
    if (!parts_.log->Append(records)) {
      parts_.metrics.CountRefused("shadow-record");
    }
  }

  void WatchDeadlines() {
    std::unique_lock lock(mutex_);
    while (!ended_) {
      // What was answered meanwhile does not wake it: hardly anything runs into its deadline.
      watcher_sleeps_until_ =
          deadlines_.empty() ? Clock::time_point::max() : deadlines_.begin()->first;
      if (deadlines_.empty()) {
        deadline_changed_.wait(lock);
        continue;
      }
      const auto next = deadlines_.begin();
      if (const Clock::time_point until = watcher_sleeps_until_; Clock::now() < until) {
        deadline_changed_.wait_until(lock, until);
        continue;
      }
      const WaitingPtr waiting = std::move(next->second);
      waiting->watched.reset();
      deadlines_.erase(next);
      if (!waiting->answered.load()) {
        lock.unlock();
        AnswerLate(*waiting);
        lock.lock();
      }
    }
  }

  void AnswerLate(Waiting& waiting) {
    const auto snapshot = parts_.shelf.Snapshot();
    const moderation::PolicySnapshot* live = snapshot ? snapshot->get() : nullptr;
    const std::vector<std::string> names =
        waiting.job.policies.empty() ? parts_.shelf.DefaultNames(live) : waiting.job.policies;
    const bool begun = waiting.begun.load();
    JudgeAnswer answer;
    answer.policies = names.size();
    for (const Content& content : waiting.job.contents) {
      const std::string who =
          waiting.job.account.empty() ? moderation::ContentHash(content) : waiting.job.account;
      for (const std::string& name : names) {
        answer.verdicts.push_back(Late(IsOperators(waiting.job)
                                           ? parts_.shelf.ReferOperators(live, name, who)
                                           : parts_.shelf.Refer(live, name, who),
                                       begun));
        answer.channels.push_back(Channel::kDirect);
      }
    }
    if (waiting.Answer(std::move(answer)) && !begun) {
      parts_.metrics.CountUnscanned(waiting.job.contents.size());
    }
  }

  JudgingParts parts_;
  JudgingOptions options_;
  mutable std::mutex mutex_;
  std::array<std::condition_variable, kLanes> work_there_;
  std::condition_variable deadline_changed_;
  std::array<std::deque<WaitingPtr>, kLanes> queues_;
  Deadlines deadlines_;  // of what is not answered
  Clock::time_point watcher_sleeps_until_ = Clock::time_point::max();
  std::size_t contents_waiting_ = 0;
  double seconds_a_content_ = 0;
  bool stopping_ = false;
  bool ended_ = false;
  std::vector<std::thread> workers_;
  std::thread timer_;
};

Judging::Judging(const JudgingParts& parts, const JudgingOptions& options)
    : impl_(std::make_unique<Impl>(parts, options)) {}

Judging::~Judging() {
  impl_->Stop();
}

bool Judging::Submit(JudgeJob job, JudgeDone done) {
  return impl_->Submit(std::move(job), std::move(done));
}

void Judging::SetQueueMax(std::size_t contents) {
  impl_->SetQueueMax(contents);
}

std::size_t Judging::waiting() const {
  return impl_->waiting();
}

std::chrono::milliseconds Judging::Delay() const {
  return impl_->Delay();
}

void Judging::Stop() {
  impl_->Stop();
}

}  // namespace safeguard::http
