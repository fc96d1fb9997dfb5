#include "apps/pull/present_files.h"

#include <chrono>
#include <future>
#include <utility>

#include "apps/pull/checksum.h"

namespace safeguard::apps::pull {
namespace {

constexpr std::chrono::milliseconds kReportInterval{50};

Result<Checksum> HashAndReport(const std::string& path, const RemoteFile& file,
                               PullObserver& observer, const std::atomic<bool>& stop) {
  std::atomic<std::uint64_t> hashed = 0;
  std::future<Result<Checksum>> result = std::async(
      std::launch::async, [&] { return ChecksumOfFile(path, file.checksum.kind, hashed, stop); });
  while (result.wait_for(kReportInterval) != std::future_status::ready) {
    PullPosition position;
    position.doing = "checking " + file.path + ", " +
                     std::to_string(file.size == 0 ? 100 : hashed.load() * 100 / file.size) + " %";
    observer.Progress(position);
  }
  return result.get();
}

}  // namespace

Result<Presence> FindPresent(const PullFolder& folder, const RemoteFile& file, bool verify,
                             PullRecord& record, PullObserver& observer,
                             const std::atomic<bool>& stop) {
  const std::string path = folder.FinalPath(file.path);
  Result<RecordedFile> there = Examine(path, file.Identity());
  if (!there) {
    if (there.error().code == ErrorCode::kNotFound) {
      return Presence::kAbsent;
    }
    return std::unexpected(there.error());
  }
  const auto known = record.files.find(file.path);
  const bool ours = known != record.files.end() && known->second.size == there->size &&
                    known->second.modified_ns == there->modified_ns;
  const bool hashable = file.checksum.kind != ChecksumKind::kNone;
  if (ours && known->second.identity == there->identity && there->size == file.size &&
      !(verify && hashable)) {
    return Presence::kKnown;
  }
  if (there->size == file.size && hashable) {
    const Result<Checksum> checksum = HashAndReport(path, file, observer, stop);
    if (!checksum) {
      return std::unexpected(checksum.error());
    }
    if (*checksum == file.checksum) {
      record.files[file.path] = std::move(*there);
      return Presence::kVerified;
    }
  }
  if (!ours) {
    return Fail(ErrorCode::kInvalidInput, path + " is there and is not the file to be pulled",
                "move it away, or choose another --to");
  }
  observer.Note(known->second.identity == there->identity
                    ? file.path + " is damaged: it is pulled again"
                    : file.path + " has changed in the repository: it is pulled again");
  return Presence::kAbsent;
}

}  // namespace safeguard::apps::pull
