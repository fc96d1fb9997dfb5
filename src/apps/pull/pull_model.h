// Pulling a model's files from a Hugging Face-compatible endpoint into a folder: list, choose,
// fetch, check, put into place. Interrupted at any moment, the same call goes on where it stopped.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "apps/pull/pull_observer.h"
#include "apps/pull/pull_settings.h"
#include "apps/pull/remote_file.h"
#include "base/result.h"

namespace safeguard::apps::pull {

struct PullRequest {
  std::string name;                // see pull_source.h
  std::string folder;              // empty: the repository's name, in the current folder
  std::string revision;            // empty: as `name` says, else "main"
  std::vector<std::string> globs;  // empty: what the engine needs
  std::size_t connections = 4;     // 1 to kConnectionsMax
  bool verify = false;             // hash also what is known to be there
};

enum class FileOutcome {
  kPulled,    // fetched, in part at least by this run
  kPresent,   // was there: its size and time are those it had when it was checked
  kVerified,  // was there: its checksum is the published one
};

struct PulledFile {
  RemoteFile file;
  FileOutcome outcome = FileOutcome::kPulled;
};

struct PullReport {
  bool interrupted = false;  // by `stop`; then only the fields up to `folder` count
  std::string source;        // the repository or URL
  std::string revision;      // as asked for; empty for a URL
  std::string commit;        // empty: the server names none
  std::string folder;
  std::vector<PulledFile> files;
  std::uint64_t bytes = 0;           // of all files
  std::uint64_t bytes_received = 0;  // by this run
  double seconds = 0;
};

// `stop` ends the pull soon and in good order.
Result<PullReport> PullModel(const PullRequest& request, const PullSettings& settings,
                             PullObserver& observer, const std::atomic<bool>& stop);

}  // namespace safeguard::apps::pull
