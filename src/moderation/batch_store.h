// BatchStore: a file of requests that are worked off one by one. Implemented in storage/ on SQLite
// beside the files, in memory for tests.
//
//   validating --Start--> in progress --End--> completed, expired
//       |                      |
//       |                   Cancel --> cancelling --End--> cancelled
//       +--End--> failed
//
// One worker at a time holds a batch, under a lease with a number; when it dies the next one goes
// on with the lines that are not kept. A line is kept once: what is kept already stays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "moderation/file_store.h"
#include "moderation/policy_store.h"

namespace safeguard::moderation {

enum class BatchState {
  kValidating,
  kInProgress,
  kCompleted,
  kFailed,
  kExpired,
  kCancelling,
  kCancelled
};
const char* ToString(BatchState state);  // "validating", "in_progress", ...
std::optional<BatchState> BatchStateFrom(std::string_view text);
bool IsOver(BatchState state);

struct NewBatch {
  std::string owner;
  std::string endpoint;    // "/v1/moderations", ...
  std::string input_file;  // its id
  std::string metadata;    // JSON of whoever asked; kept as it is
  TimeMs expires = 0;      // what is not done then is left out
};

struct Batch {
  std::string id;  // "batch_" and 24 hexadecimal digits
  NewBatch what;
  BatchState state = BatchState::kValidating;
  TimeMs created = 0;
  TimeMs begun = 0;         // in progress; 0: not yet
  TimeMs cancelled = 0;     // when that was asked for; 0: never
  TimeMs ended = 0;         // 0: not yet
  std::size_t total = 0;    // lines; 0 until they are counted
  std::size_t done = 0;     // lines that are kept
  std::size_t failed = 0;   // of them, those that failed
  std::string errors;       // JSON: why it failed; empty: it did not
  std::string output_file;  // ids; empty: there are no such lines, or not yet
  std::string error_file;
  std::int64_t lease = 0;  // the number of the newest one
};

struct BatchLine {
  std::size_t number = 0;  // in the file, from 1
  bool failed = false;
  std::string output;  // one line, without its newline
};

struct BatchEnd {
  BatchState state = BatchState::kCompleted;  // one that is over
  std::string errors{};
};

struct BatchQuery {
  std::string owner;
  std::string after{};     // the id that ended the page before; empty: from the beginning
  std::size_t limit = 20;  // 1..kFilePageMax
};

inline constexpr std::size_t kBatchesOpenMax = 1000;
inline constexpr std::size_t kBatchMetadataBytesMax = 16'384;

// Thread-safe; any number of processes. What a call has acknowledged is on the disk. Errors:
// kInvalidInput for a wrong argument and for a batch that is over, kLimit for too many open ones,
// kNotFound for a batch that is not there, is another owner's, or whose lease is not the newest;
// kUnavailable and kCorruptFile for the store.
class BatchStore {
 public:
  virtual ~BatchStore() = default;

  // From here on it is seen through.
  virtual Result<Batch> Begin(const NewBatch& batch, TimeMs now) = 0;
  virtual Result<Batch> Find(const std::string& owner, const std::string& id) = 0;
  // Newest first.
  virtual Result<std::vector<Batch>> List(const BatchQuery& query) = 0;
  // Cancelling, or still so. What is under way is finished by its worker.
  virtual Result<Batch> Cancel(const std::string& owner, const std::string& id, TimeMs now) = 0;

  // -- For workers --
  // The oldest that is not over and that nobody holds; held until `until` under a new lease.
  virtual Result<std::optional<Batch>> Take(TimeMs now, TimeMs until) = 0;
  // All of these of the batch that is held, as its lease says; they give it as it is now.
  // Its lines are counted, and it is in progress.
  virtual Result<Batch> Start(const Batch& held, std::size_t lines, TimeMs now) = 0;
  // Keeps lines; those that are kept already stay as they are. The lease ends at `until`.
  virtual Result<Batch> Keep(const Batch& held, std::span<const BatchLine> lines, TimeMs until) = 0;
  // The numbers of the lines that are kept, ascending.
  virtual Result<std::vector<std::size_t>> Kept(const Batch& held) = 0;
  // Over. Of the kept lines, in order, files are made: one of those that failed, one of the others.
  virtual Result<Batch> End(const Batch& held, const BatchEnd& end, TimeMs now) = 0;
};

// `files` gets what End makes, and must outlive it.
std::unique_ptr<BatchStore> MemoryBatchStore(FileStore& files);

// What implementations share.
Status CheckNewBatch(const NewBatch& batch);
Status CheckOpen(std::size_t open);
std::unexpected<Error> NoSuchBatch(const std::string& id);
std::unexpected<Error> BatchOver(const Batch& batch);
std::unexpected<Error> BatchLeaseLost(const Batch& held);
// The name of a file that End makes: "batch_..._output.jsonl".
std::string BatchFileName(const Batch& batch, bool failed);

}  // namespace safeguard::moderation
