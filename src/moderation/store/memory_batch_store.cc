#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "moderation/batch_store.h"

namespace safeguard::moderation {
namespace {

class MemoryBatches final : public BatchStore {
 public:
  explicit MemoryBatches(FileStore& files) : files_(files) {}

  Result<Batch> Begin(const NewBatch& what, TimeMs now) override {
    const std::lock_guard lock(mutex_);
    const auto open = std::ranges::count_if(
        kept_, [](const KeptBatch& kept) { return !IsOver(kept.batch.state); });
    Status status = CheckNewBatch(what);
    status = status ? CheckOpen(static_cast<std::size_t>(open)) : status;
    if (!status) {
      return std::unexpected(status.error());
    }
    Batch batch;
    batch.id = NewId("batch_");
    batch.what = what;
    batch.created = now;
    kept_.push_back({std::move(batch), 0, {}});
    return kept_.back().batch;
  }

  Result<Batch> Find(const std::string& owner, const std::string& id) override {
    const std::lock_guard lock(mutex_);
    const auto found = Place(id);
    return found == kept_.end() || found->batch.what.owner != owner ? NoSuchBatch(id)
                                                                    : Result<Batch>(found->batch);
  }

  Result<std::vector<Batch>> List(const BatchQuery& query) override {
    const std::lock_guard lock(mutex_);
    std::vector<Batch> page;
    bool begun = query.after.empty();
    for (auto kept = kept_.rbegin(); kept != kept_.rend() && page.size() < query.limit; ++kept) {
      const bool ours = kept->batch.what.owner == query.owner;
      if (begun && ours) {
        page.push_back(kept->batch);
      }
      begun = begun || (ours && kept->batch.id == query.after);
    }
    return begun ? Result<std::vector<Batch>>(std::move(page)) : NoSuchBatch(query.after);
  }

  Result<Batch> Cancel(const std::string& owner, const std::string& id, TimeMs now) override {
    const std::lock_guard lock(mutex_);
    const auto found = Place(id);
    if (found == kept_.end() || found->batch.what.owner != owner) {
      return NoSuchBatch(id);
    }
    if (IsOver(found->batch.state)) {
      return BatchOver(found->batch);
    }
    if (found->batch.state != BatchState::kCancelling) {
      found->batch.state = BatchState::kCancelling;
      found->batch.cancelled = now;
    }
    return found->batch;
  }

  Result<std::optional<Batch>> Take(TimeMs now, TimeMs until) override {
    const std::lock_guard lock(mutex_);
    for (KeptBatch& kept : kept_) {
      if (!IsOver(kept.batch.state) && kept.held_until <= now) {
        kept.held_until = until;
        ++kept.batch.lease;
        return kept.batch;
      }
    }
    return std::nullopt;
  }

  Result<Batch> Start(const Batch& held, std::size_t lines, TimeMs now) override {
    return Change(held, [&](KeptBatch& kept) -> Status {
      kept.batch.total = lines;
      kept.batch.begun = kept.batch.begun == 0 ? now : kept.batch.begun;
      if (kept.batch.state == BatchState::kValidating) {
        kept.batch.state = BatchState::kInProgress;
      }
      return {};
    });
  }

  Result<Batch> Keep(const Batch& held, std::span<const BatchLine> lines, TimeMs until) override {
    return Change(held, [&](KeptBatch& kept) -> Status {
      for (const BatchLine& line : lines) {
        if (kept.lines.emplace(line.number, line).second) {
          ++kept.batch.done;
          kept.batch.failed += line.failed ? 1 : 0;
        }
      }
      kept.held_until = until;
      return {};
    });
  }

  Result<std::vector<std::size_t>> Kept(const Batch& held) override {
    const std::lock_guard lock(mutex_);
    const auto found = Place(held.id);
    if (found == kept_.end()) {
      return NoSuchBatch(held.id);
    }
    std::vector<std::size_t> numbers;
    for (const auto& [number, line] : found->lines) {
      numbers.push_back(number);
    }
    return numbers;
  }

  Result<Batch> End(const Batch& held, const BatchEnd& end, TimeMs now) override {
    return Change(held, [&](KeptBatch& kept) -> Status {
      for (const bool failed : {false, true}) {
        std::string bytes;
        for (const auto& [number, line] : kept.lines) {
          bytes += line.failed == failed ? line.output + "\n" : "";
        }
        if (bytes.empty()) {
          continue;
        }
        const Result<FileInfo> file = files_.Add(
            {kept.batch.what.owner, "batch_output", BatchFileName(kept.batch, failed), bytes}, now);
        if (!file) {
          return std::unexpected(file.error());
        }
        (failed ? kept.batch.error_file : kept.batch.output_file) = file->id;
      }
      kept.lines.clear();
      kept.batch.state = end.state;
      kept.batch.errors = end.errors;
      kept.batch.ended = now;
      return {};
    });
  }

 private:
  struct KeptBatch {
    Batch batch;
    TimeMs held_until = 0;
    std::map<std::size_t, BatchLine> lines;
  };

  std::vector<KeptBatch>::iterator Place(const std::string& id) {
    return std::ranges::find_if(kept_, [&](const auto& kept) { return kept.batch.id == id; });
  }

  template <typename Body>
  Result<Batch> Change(const Batch& held, Body body) {
    const std::lock_guard lock(mutex_);
    const auto found = Place(held.id);
    if (found == kept_.end() || found->batch.lease != held.lease || IsOver(found->batch.state)) {
      return BatchLeaseLost(held);
    }
    const Status changed = body(*found);
    return changed ? Result<Batch>(found->batch) : std::unexpected(changed.error());
  }

  FileStore& files_;
  std::mutex mutex_;
  std::vector<KeptBatch> kept_;  // oldest first
};

}  // namespace

std::unique_ptr<BatchStore> MemoryBatchStore(FileStore& files) {
  return std::make_unique<MemoryBatches>(files);
}

}  // namespace safeguard::moderation
