#include "apps/pull/downloader.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace safeguard::apps::pull {
namespace {

constexpr std::uint64_t kGainBytes = 65536;  // that count as getting somewhere
constexpr int kLieWeight = 2;                // a wrong answer is less likely to pass than a cut

}  // namespace

Downloader::Downloader(Surroundings surroundings, std::vector<PullTask>& tasks,
                       std::size_t connections)
    : around_(surroundings), tasks_(tasks), connections_(connections) {
  CHECK(connections_ > 0);
  for (PullTask& task : tasks_) {
    for (const ByteRange& range : task.part->Missing(around_.settings.chunks_per_request)) {
      waiting_.push_back(std::make_unique<DownloadJob>(task, range));
    }
    bytes_start_ += task.part->bytes_done();
  }
}

Downloader::~Downloader() {
  for (const auto& [id, job] : active_) {
    around_.client.Cancel(id);
  }
}

Status Downloader::Run() {
  Status done = Loop();
  for (const auto& [id, job] : active_) {
    around_.client.Cancel(id);
  }
  active_.clear();
  const Status synced = SyncAll();
  return done ? synced : done;
}

Status Downloader::Loop() {
  for (PullTask& task : tasks_) {
    const Status finishing = FinishIfComplete(task);
    if (!finishing) {
      return finishing;
    }
  }
  while (true) {
    const Status finished = around_.finisher.Step();
    if (!finished) {
      return finished;
    }
    if (around_.stop.load()) {
      return Fail(ErrorCode::kUnavailable, "stopped");
    }
    StartJobs();
    if (active_.empty() && waiting_.empty() && around_.finisher.idle()) {
      return {};
    }
    for (const auto& [id, result] : around_.client.Poll(around_.settings.timing.poll)) {
      const auto at = active_.find(id);
      if (at == active_.end()) {
        continue;  // cancelled meanwhile
      }
      std::unique_ptr<DownloadJob> job = std::move(at->second);
      active_.erase(at);
      const Status handled = Handle(std::move(job), result);
      if (!handled) {
        return handled;
      }
    }
    if (Clock::now() - synced_ >= around_.settings.timing.sync) {
      const Status synced = SyncAll();
      if (!synced) {
        return synced;
      }
    }
    Report();
  }
}

void Downloader::StartJobs() {
  std::erase_if(waiting_, [](const std::unique_ptr<DownloadJob>& job) {
    return job->task().finishing || (job->task().single && !job->whole());
  });
  const Clock::time_point now = Clock::now();
  while (active_.size() < connections_ && now >= paused_until_) {
    const auto next =
        std::ranges::find_if(waiting_, [now](const auto& job) { return job->due <= now; });
    if (next == waiting_.end()) {
      return;
    }
    std::unique_ptr<DownloadJob> job = std::move(*next);
    waiting_.erase(next);
    const TransferId id = around_.client.Start(job->Request(), *job);
    active_.emplace(id, std::move(job));
  }
}

Status Downloader::Handle(std::unique_ptr<DownloadJob> job, const HttpResult& result) {
  bytes_received_ += job->gained();
  PullTask& task = job->task();
  if (job->fatal()) {
    return std::unexpected(*job->fatal());
  }
  if (task.finishing) {
    return {};
  }
  if (job->ignores_ranges()) {
    FetchWhole(std::move(job));
    return {};
  }
  if (job->complete()) {  // however the connection ended
    return FinishIfComplete(task);
  }
  if (task.single && !job->whole()) {
    return {};  // the job for the whole file does it
  }
  return Retry(std::move(job), result);
}

Status Downloader::Retry(std::unique_ptr<DownloadJob> job, const HttpResult& result) {
  const PullTask& task = job->task();
  const std::uint64_t needed = std::min(kGainBytes, around_.settings.chunk_bytes);
  const int status = result.head.status;
  const bool answered = status == 200 || status == 206;
  Failure failure;
  if (!job->lie().empty()) {
    failure = {{ErrorCode::kCorruptFile, task.asked.what + " " + job->lie(),
                "the server or a proxy is at fault; run the same command later, or set HF_ENDPOINT "
                "to another"},
               true,
               {}};
    job->failures += kLieWeight - 1;
  } else if (answered && result.end == HttpEnd::kComplete) {
    HttpResult cut = result;  // less than promised, with a proper end
    cut.end = HttpEnd::kCut;
    cut.head.status = 0;
    cut.detail = "it ended early";
    failure = FailureOf(cut, task.asked);
  } else {
    failure = FailureOf(result, task.asked);
  }
  if (!job->whole() && job->gained() >= needed) {
    job->failures = 0;
  }
  ++job->failures;
  const auto wait = WaitAfter(failure, job->failures, around_.settings.timing);
  if (!wait) {
    return std::unexpected(wait.error());
  }
  reason_ = failure.error.message;
  job->due = Clock::now() + *wait;
  if (failure.wait) {
    paused_until_ = std::max(paused_until_, job->due);
  }
  if (job->whole()) {
    job->Rewind();
  }
  waiting_.push_front(std::move(job));
  return {};
}

void Downloader::FetchWhole(std::unique_ptr<DownloadJob> job) {
  if (job->task().single) {
    return;
  }
  around_.observer.Note("the server cannot send parts of " + job->task().file.path +
                        ": it is fetched in one piece, from its beginning");
  job->BecomeWhole();
  job->failures = 0;
  waiting_.push_front(std::move(job));
}

Status Downloader::FinishIfComplete(PullTask& task) {
  if (!task.part || task.finishing || !task.part->complete()) {
    return {};
  }
  for (auto at = active_.begin(); at != active_.end();) {
    if (&at->second->task() == &task) {
      bytes_received_ += at->second->gained();  // its own last bytes made the file whole
      around_.client.Cancel(at->first);
      at = active_.erase(at);
    } else {
      ++at;
    }
  }
  return around_.finisher.Add(task);
}

Status Downloader::SyncAll() {
  synced_ = Clock::now();
  for (PullTask& task : tasks_) {
    if (task.part && !task.finishing) {
      const Status synced = task.part->Sync();
      if (!synced) {
        return synced;
      }
    }
  }
  return {};
}

void Downloader::Report() {
  PullPosition position;
  position.bytes_start = bytes_start_;
  for (const PullTask& task : tasks_) {
    position.bytes_total += task.file.size;
    position.bytes += task.part ? task.part->bytes_done() : task.file.size;
  }
  for (const auto& [id, job] : active_) {
    position.bytes += job->unfinished();
  }
  for (const auto& job : waiting_) {
    position.bytes += job->unfinished();
  }
  position.bytes = std::min(position.bytes, position.bytes_total);
  if (active_.empty() && !waiting_.empty()) {
    Clock::time_point due = paused_until_;
    for (const auto& job : waiting_) {
      due = std::max(due, job->due);
    }
    const auto left = std::chrono::duration_cast<std::chrono::seconds>(due - Clock::now());
    position.doing =
        "waiting " + std::to_string(std::max<std::int64_t>(left.count(), 0) + 1) + " s: " + reason_;
  } else if (active_.empty()) {
    position.doing = around_.finisher.doing();
  }
  around_.observer.Progress(position);
}

}  // namespace safeguard::apps::pull
