#include <algorithm>
#include <mutex>
#include <utility>

#include "moderation/file_store.h"

namespace safeguard::moderation {
namespace {

class MemoryFiles final : public FileStore {
 public:
  explicit MemoryFiles(const FileLimits& limits) : limits_(limits) {}

  Result<FileInfo> AddFrom(const NewFile& file, const ByteSource& source, TimeMs now) override {
    std::string bytes;
    Status status = CheckNewFile(file);
    status = status ? ForEachPiece(source,
                                   [&](std::size_t, std::string_view piece) {
                                     bytes += piece;
                                     return Status();
                                   })
                    : status;
    const std::lock_guard lock(mutex_);
    std::size_t kept_bytes = 0;
    for (const Kept& kept : files_) {
      kept_bytes += kept.bytes.size();
    }
    status = status ? CheckRoom(limits_, files_.size(), kept_bytes, bytes.size()) : status;
    if (!status) {
      return std::unexpected(status.error());
    }
    files_.push_back({{NewId("file-"), file.owner, file.purpose, file.name, bytes.size(), now,
                       file.notes, ++last_},
                      std::move(bytes)});
    return files_.back().info;
  }

  Result<FileInfo> Find(const std::string& owner, const std::string& id) override {
    const std::lock_guard lock(mutex_);
    const auto found = Place(owner, id);
    return found == files_.end() ? NoSuchFile(id) : Result<FileInfo>(found->info);
  }

  Result<std::string> Read(const std::string& owner, const std::string& id) override {
    const std::lock_guard lock(mutex_);
    const auto found = Place(owner, id);
    return found == files_.end() ? NoSuchFile(id) : Result<std::string>(found->bytes);
  }

  Result<std::string> ReadPart(const std::string& owner, const std::string& id, std::size_t from,
                               std::size_t count) override {
    const std::lock_guard lock(mutex_);
    const auto found = Place(owner, id);
    return found == files_.end() ? NoSuchFile(id)
                                 : Result<std::string>(found->bytes.substr(
                                       std::min(from, found->bytes.size()), count));
  }

  Result<std::vector<FileInfo>> List(const FileQuery& query) override {
    const std::lock_guard lock(mutex_);
    std::vector<FileInfo> page;
    bool begun = query.after.empty();
    for (auto kept = files_.rbegin(); kept != files_.rend() && page.size() < query.limit; ++kept) {
      const bool wanted = kept->info.owner == query.owner &&
                          (query.before == 0 || kept->info.number < query.before) &&
                          (query.purpose.empty() || kept->info.purpose == query.purpose);
      if (begun && wanted) {
        page.push_back(kept->info);
      }
      begun = begun || (kept->info.owner == query.owner && kept->info.id == query.after);
    }
    return begun ? Result<std::vector<FileInfo>>(std::move(page)) : NoSuchFile(query.after);
  }

  Status Remove(const std::string& owner, const std::string& id) override {
    const std::lock_guard lock(mutex_);
    const auto found = Place(owner, id);
    if (found == files_.end()) {
      return NoSuchFile(id);
    }
    files_.erase(found);
    return {};
  }

 private:
  struct Kept {
    FileInfo info;
    std::string bytes;
  };

  std::vector<Kept>::iterator Place(const std::string& owner, const std::string& id) {
    return std::ranges::find_if(
        files_, [&](const Kept& kept) { return kept.info.owner == owner && kept.info.id == id; });
  }

  FileLimits limits_;
  std::mutex mutex_;
  std::vector<Kept> files_;  // oldest first
  std::int64_t last_ = 0;
};

}  // namespace

std::unique_ptr<FileStore> MemoryFileStore(const FileLimits& limits) {
  return std::make_unique<MemoryFiles>(limits);
}

}  // namespace safeguard::moderation
