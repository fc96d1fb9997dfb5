#include "apps/pull/pull_model.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "apps/pull/downloader.h"
#include "apps/pull/file_choice.h"
#include "apps/pull/finisher.h"
#include "apps/pull/http_client.h"
#include "apps/pull/present_files.h"
#include "apps/pull/pull_folder.h"
#include "apps/pull/pull_record.h"
#include "apps/pull/pull_source.h"
#include "apps/pull/repository.h"

namespace safeguard::apps::pull {
namespace {

using Clock = std::chrono::steady_clock;

// Beside the parts: states, the record, what the file system needs for itself.
constexpr std::uint64_t kRoomMargin = std::uint64_t{4} << 20;

class Pull {
 public:
  Pull(const PullRequest& request, const PullSettings& settings, PullObserver& observer,
       const std::atomic<bool>& stop)
      : request_(request), settings_(settings), observer_(observer), stop_(stop) {}

  Status Run() {
    Result<PullSource> source =
        ParsePullSource(request_.name, request_.revision, settings_.endpoint);
    if (!source) {
      return std::unexpected(source.error());
    }
    source_ = std::move(*source);
    report.source = source_.Name();
    report.revision = source_.repository.empty() ? "" : source_.revision;
    report.folder = request_.folder.empty() ? source_.FolderName() : request_.folder;
    Result<std::unique_ptr<HttpClient>> client = HttpClient::Open(settings_);
    if (!client) {
      return std::unexpected(client.error());
    }
    Repository repository(**client, source_, settings_.timing, observer_, stop_);
    Status status = Choose(repository);
    if (status) {
      status = Plan(repository);
    }
    if (status && !tasks_.empty()) {
      status = CheckRoom();
    }
    return status ? Fetch(**client) : status;
  }

  PullReport report;

 private:
  Status Choose(Repository& repository) {
    if (source_.repository.empty()) {
      Result<RemoteFile> file = repository.Probe();
      if (!file) {
        return std::unexpected(file.error());
      }
      chosen_ = {std::move(*file)};
      return {};
    }
    Result<Listing> listing = repository.List();
    if (!listing) {
      return std::unexpected(listing.error());
    }
    std::vector<std::string> globs = request_.globs;
    if (!source_.file.empty()) {
      globs.push_back(Literal(source_.file));
    }
    Result<std::vector<RemoteFile>> chosen = ChooseFiles(listing->files, globs, source_.repository);
    if (!chosen) {
      return std::unexpected(chosen.error());
    }
    chosen_ = std::move(*chosen);
    listing_ = std::move(*listing);
    report.commit = listing_.commit;
    return {};
  }

  // What is there, what is not.
  Status Plan(const Repository& repository) {
    Result<std::unique_ptr<PullFolder>> folder = PullFolder::Open(report.folder);
    if (!folder) {
      return std::unexpected(folder.error());
    }
    folder_ = std::move(*folder);
    record_ = ReadPullRecord(folder_->RecordPath());
    record_.source = report.source;
    record_.commit = report.commit;
    std::vector<std::string> parts;
    for (const RemoteFile& file : chosen_) {
      const Result<Presence> present =
          FindPresent(*folder_, file, request_.verify, record_, observer_, stop_);
      if (!present) {
        return std::unexpected(present.error());
      }
      report.bytes += file.size;
      report.files.push_back({file, *present == Presence::kKnown      ? FileOutcome::kPresent
                                    : *present == Presence::kVerified ? FileOutcome::kVerified
                                                                      : FileOutcome::kPulled});
      if (*present == Presence::kAbsent) {
        PullTask task;
        task.file = file;
        task.url = repository.FileUrl(listing_, file);
        task.asked = repository.AskedFor(file);
        tasks_.push_back(std::move(task));
        parts.push_back(folder_->PartPath(file.path));
      }
    }
    return folder_->RemoveOtherParts(parts);
  }

  Status CheckRoom() {
    const Result<std::uint64_t> free =
        settings_.free_bytes ? settings_.free_bytes(report.folder) : FreeBytes(report.folder);
    if (!free) {
      return std::unexpected(free.error());
    }
    std::uint64_t needed = kRoomMargin;
    std::uint64_t all = 0;
    for (const PullTask& task : tasks_) {
      needed += task.file.size -
                std::min(task.file.size, ReservedBytes(folder_->PartPath(task.file.path)));
      all += task.file.size;
    }
    if (needed > *free) {
      return Fail(ErrorCode::kUnavailable,
                  report.folder + " has not enough room: " + ByteText(needed) +
                      " more are needed and " + ByteText(*free) + " are free",
                  "free " + ByteText(needed - *free) + ", or choose another --to");
    }
    observer_.Note(report.source + (report.commit.empty() ? "" : " at " + report.commit) + ": " +
                   std::to_string(tasks_.size()) + (tasks_.size() == 1 ? " file, " : " files, ") +
                   ByteText(all) + " into " + report.folder);
    return {};
  }

  Status Fetch(HttpClient& client) {
    std::uint64_t there = 0;
    for (PullTask& task : tasks_) {
      Result<std::unique_ptr<PartFile>> part =
          PartFile::Open(folder_->PartPath(task.file.path), task.file, settings_.chunk_bytes);
      if (!part) {
        return std::unexpected(part.error());
      }
      task.part = std::move(*part);
      there += task.part->bytes_done();
    }
    if (there > 0) {
      observer_.Note("going on where an earlier pull stopped: " + ByteText(there) + " are there");
    }
    Finisher finisher(*folder_, record_);
    Downloader downloader({client, finisher, observer_, settings_, stop_}, tasks_,
                          std::clamp<std::size_t>(request_.connections, 1, kConnectionsMax));
    Status fetched = downloader.Run();
    report.bytes_received = downloader.bytes_received();
    if (fetched) {
      fetched = WritePullRecord(folder_->RecordPath(), record_);
    }
    return fetched;
  }

  // A glob that matches `path` alone.
  static std::string Literal(const std::string& path) {
    std::string glob;
    for (const char c : path) {
      if (c == '*' || c == '?' || c == '[' || c == '\\') {
        glob += '\\';
      }
      glob += c;
    }
    return glob;
  }

  const PullRequest& request_;
  const PullSettings& settings_;
  PullObserver& observer_;
  const std::atomic<bool>& stop_;
  PullSource source_;
  Listing listing_;
  std::vector<RemoteFile> chosen_;
  std::unique_ptr<PullFolder> folder_;
  PullRecord record_;
  std::vector<PullTask> tasks_;
};

}  // namespace

Result<PullReport> PullModel(const PullRequest& request, const PullSettings& settings,
                             PullObserver& observer, const std::atomic<bool>& stop) {
  const Clock::time_point begin = Clock::now();
  Pull pull(request, settings, observer, stop);
  const Status done = pull.Run();
  if (!done && !stop.load()) {
    return std::unexpected(done.error());
  }
  pull.report.interrupted = !done;
  pull.report.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  return pull.report;
}

}  // namespace safeguard::apps::pull
