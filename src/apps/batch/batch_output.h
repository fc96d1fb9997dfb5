// The output of a batch, which survives being killed at any moment.
//
// Beside OUT stands OUT.resume, a journal of one JSON object a line: first what is being judged
// (the identity), then checkpoints. A checkpoint is written only after the output that it speaks of
// has reached the disk, so at any moment OUT holds at least what the last whole checkpoint says.
// Going on means: cut OUT to the last whole checkpoint, and judge what follows it again. Nothing is
// lost, because a checkpoint comes after its output; nothing is repeated, because what comes after
// a checkpoint is cut.
//
// Standard output ("-"), pipes and devices cannot be cut, so there is no journal for them.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "apps/exit_code.h"
#include "base/result.h"

namespace safeguard::apps {

struct Checkpoint {
  std::uint64_t entries = 0;       // of the input, those that could not be read included
  std::uint64_t unreadable = 0;    // of these
  std::string input_hash;          // of the entries, chained (batch_input.h)
  std::uint64_t output_bytes = 0;  // set by BatchOutput
  bool complete = false;           // the input had ended
  Tally tally;
};

struct BatchOutputOptions {
  std::string path;
  nlohmann::json identity;  // an object: what must be the same for going on
  bool restart = false;     // begin again whatever is there
};

// A batch as it looks from outside.
struct BatchState {
  Checkpoint last;       // what is surely there
  bool running = false;  // somebody holds the output
};
// Changes nothing. Fails when there is no such output, or no journal beside it.
Result<BatchState> PeekBatch(const std::string& path);

// Not thread-safe.
class BatchOutput {
 public:
  // Takes a lock on the output. Fails when another run holds it, when something else is there that
  // would be overwritten, when the identity differs (the message names what does), or when the
  // journal cannot be read.
  static Result<std::unique_ptr<BatchOutput>> Open(const BatchOutputOptions& options);
  ~BatchOutput();
  BatchOutput(const BatchOutput&) = delete;
  BatchOutput& operator=(const BatchOutput&) = delete;

  // Where to go on; all zero at a beginning.
  [[nodiscard]] const Checkpoint& start() const { return start_; }
  [[nodiscard]] bool resumable() const { return journal_ >= 0; }

  // Whole lines. After a failure (a full disk, for one) nothing more may be written; the next run
  // goes on from the last checkpoint.
  Status Append(std::string_view lines);
  // Brings the output to the disk, then the checkpoint.
  Status Commit(Checkpoint checkpoint);

  // True after a reader of the output went away (`| head`).
  [[nodiscard]] bool reader_gone() const { return reader_gone_; }

 private:
  BatchOutput(std::string path, int output) : path_(std::move(path)), output_(output) {}
  Status OpenJournal(const BatchOutputOptions& options);
  Status Begin(const nlohmann::json& identity);
  Status Continue(const std::string& journal, std::uint64_t output_bytes,
                  const nlohmann::json& identity);
  Status Write(int fd, const std::string& path, std::string_view bytes);

  std::string path_;
  int output_;
  int journal_ = -1;
  std::uint64_t bytes_ = 0;
  bool reader_gone_ = false;
  Checkpoint start_;
};

}  // namespace safeguard::apps
