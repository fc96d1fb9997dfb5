// Asking a server what there is: the list of a repository at one commit, or the size of one file.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "apps/pull/http_client.h"
#include "apps/pull/http_failure.h"
#include "apps/pull/pull_observer.h"
#include "apps/pull/pull_source.h"
#include "apps/pull/remote_file.h"

namespace safeguard::apps::pull {

struct Listing {
  std::string commit;  // empty where the server names none
  std::vector<RemoteFile> files;
};

class Repository {
 public:
  // All of which must live as long as this. `stop` ends any wait with kUnavailable.
  Repository(HttpClient& client, const PullSource& source, const Timing& timing,
             PullObserver& observer, const std::atomic<bool>& stop);

  // The files at the source's revision, pinned to its commit where the server tells it: what is
  // fetched later is of that commit, whatever happens to the branch.
  [[nodiscard]] Result<Listing> List();
  // The file of a source that is no repository.
  [[nodiscard]] Result<RemoteFile> Probe();

  // Where to fetch a file of `listing` from, and what to call it in messages.
  [[nodiscard]] std::string FileUrl(const Listing& listing, const RemoteFile& file) const;
  [[nodiscard]] Asked AskedFor(const RemoteFile& file) const;

 private:
  struct Answer {
    HttpHead head;
    std::string body;
  };
  Result<Answer> Get(const HttpRequest& request, const Asked& asked);
  Result<std::string> FindCommit();
  [[nodiscard]] Status Pause(std::chrono::milliseconds wait, const Error& reason);

  HttpClient& client_;
  const PullSource& source_;
  const Timing& timing_;
  PullObserver& observer_;
  const std::atomic<bool>& stop_;
};

// What tells one version of a URL's bytes from another: a strong ETag, else the date of the last
// change; empty when the server gives neither.
std::string VersionOf(const HttpHead& head);

}  // namespace safeguard::apps::pull
