// The last steps of a file that has arrived: its checksum on a thread of its own, then the rename
// into place. No file gets its name before it has been checked.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "apps/pull/http_failure.h"
#include "apps/pull/part_file.h"
#include "apps/pull/pull_folder.h"
#include "apps/pull/pull_record.h"
#include "apps/pull/remote_file.h"

namespace safeguard::apps::pull {

// One file to be fetched.
struct PullTask {
  RemoteFile file;
  std::string url;
  Asked asked;
  std::unique_ptr<PartFile> part;  // null when the file is in place
  bool finishing = false;          // handed to the Finisher
  bool single = false;             // the server ignores ranges: one request for the whole file
};

class Finisher {
 public:
  // `record` gets each file that is put into place, and is written.
  Finisher(const PullFolder& folder, PullRecord& record);
  ~Finisher();  // gives up what is being checked
  Finisher(const Finisher&) = delete;
  Finisher& operator=(const Finisher&) = delete;

  // REQUIRES: the part is complete. The task must outlive this.
  [[nodiscard]] Status Add(PullTask& task);
  // Goes on without waiting. kCorruptFile: a file is not what was published; its part is gone.
  [[nodiscard]] Status Step();
  [[nodiscard]] bool idle() const { return !hashing_ && queue_.empty(); }
  // "checking NAME, 45 %", or empty.
  [[nodiscard]] std::string doing() const;

 private:
  struct Hashing;

  [[nodiscard]] Status Install(PullTask& task);

  const PullFolder& folder_;
  PullRecord& record_;
  std::deque<PullTask*> queue_;
  std::unique_ptr<Hashing> hashing_;
};

}  // namespace safeguard::apps::pull
