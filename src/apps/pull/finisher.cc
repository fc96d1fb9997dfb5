#include "apps/pull/finisher.h"

#include <thread>
#include <utility>

#include "base/check.h"

namespace safeguard::apps::pull {

struct Finisher::Hashing {
  explicit Hashing(PullTask& hashed_task)
      : task(hashed_task), thread([this, path = task.part->part_path()] {
          result = ChecksumOfFile(path, task.file.checksum.kind, hashed, stop);
          done.store(true);
        }) {}
  ~Hashing() {
    stop.store(true);
    thread.join();
  }
  Hashing(const Hashing&) = delete;
  Hashing& operator=(const Hashing&) = delete;

  PullTask& task;
  std::atomic<std::uint64_t> hashed = 0;
  std::atomic<bool> stop = false;
  std::atomic<bool> done = false;
  Result<Checksum> result;  // by the thread, until `done`
  std::thread thread;       // last: begins when all else is there
};

Finisher::Finisher(const PullFolder& folder, PullRecord& record)
    : folder_(folder), record_(record) {}

Finisher::~Finisher() = default;

Status Finisher::Add(PullTask& task) {
  CHECK(task.part && task.part->complete() && !task.finishing);
  task.finishing = true;
  const Status synced = task.part->Sync();
  if (synced) {
    queue_.push_back(&task);
  }
  return synced;
}

Status Finisher::Step() {
  if (hashing_ && hashing_->done.load()) {
    PullTask& task = hashing_->task;
    const Result<Checksum> result = hashing_->result;
    hashing_.reset();
    if (!result) {
      return std::unexpected(result.error());
    }
    if (*result != task.file.checksum) {
      const Status removed = task.part->Remove();
      return Fail(ErrorCode::kCorruptFile,
                  "what arrived as " + task.file.path + " has " + result->Text() +
                      ", but the repository publishes " + task.file.checksum.Text() +
                      (removed ? "; it was removed" : ""),
                  "run the same command again; if that does not help, the server or a proxy "
                  "damages it");
    }
    const Status installed = Install(task);
    if (!installed) {
      return installed;
    }
  }
  while (!hashing_ && !queue_.empty()) {
    PullTask& task = *queue_.front();
    queue_.pop_front();
    if (task.file.checksum.kind != ChecksumKind::kNone) {
      hashing_ = std::make_unique<Hashing>(task);
      break;
    }
    const Status installed = Install(task);
    if (!installed) {
      return installed;
    }
  }
  return {};
}

Status Finisher::Install(PullTask& task) {
  Status status = folder_.Install(task.part->part_path(), task.file.path);
  if (!status) {
    return status;
  }
  status = task.part->RemoveState();
  task.part.reset();
  if (!status) {
    return status;
  }
  Result<RecordedFile> there = Examine(folder_.FinalPath(task.file.path), task.file.Identity());
  if (!there) {
    return std::unexpected(there.error());
  }
  record_.files[task.file.path] = std::move(*there);
  return WritePullRecord(folder_.RecordPath(), record_);
}

std::string Finisher::doing() const {
  if (!hashing_) {
    return "";
  }
  const RemoteFile& file = hashing_->task.file;
  const std::uint64_t percent = file.size == 0 ? 100 : hashing_->hashed.load() * 100 / file.size;
  return "checking " + file.path + ", " + std::to_string(percent) + " %";
}

}  // namespace safeguard::apps::pull
