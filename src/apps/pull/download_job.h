// One run of bytes of one file: checks what the server says about it, and writes what it sends.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "apps/pull/finisher.h"
#include "apps/pull/http_client.h"

namespace safeguard::apps::pull {

class DownloadJob : public HttpReceiver {
 public:
  DownloadJob(PullTask& task, ByteRange range)
      : task_(task), range_(range), position_(range.begin) {}

  // A request for what is left.
  [[nodiscard]] HttpRequest Request();
  bool OnHead(const HttpHead& head) override;
  bool OnBody(std::string_view bytes) override;

  // From the beginning of the file to its end, without ranges.
  void BecomeWhole();
  // Forgets what has been received when it cannot be gone on from.
  void Rewind();

  [[nodiscard]] PullTask& task() const { return task_; }
  [[nodiscard]] bool complete() const { return position_ == range_.end; }
  [[nodiscard]] bool whole() const { return whole_; }
  // Bytes of this request.
  [[nodiscard]] std::uint64_t gained() const { return position_ - asked_from_; }
  // Received bytes of a chunk that is not whole yet.
  [[nodiscard]] std::uint64_t unfinished() const {
    return complete() ? 0 : task_.part->OfChunk(position_);
  }
  [[nodiscard]] bool ignores_ranges() const { return ignores_ranges_; }
  // What was wrong with what the server said; empty: nothing.
  [[nodiscard]] const std::string& lie() const { return lie_; }
  // What ends the pull: the disk, or a file that has changed.
  [[nodiscard]] const std::optional<Error>& fatal() const { return fatal_; }

  int failures = 0;  // in a row
  std::chrono::steady_clock::time_point due;

 private:
  bool Lies(std::string what);
  bool IsOtherVersion(const HttpHead& head);

  PullTask& task_;
  ByteRange range_;
  std::uint64_t position_;
  std::uint64_t asked_from_ = 0;
  bool asked_range_ = false;
  bool whole_ = false;
  bool ignores_ranges_ = false;
  std::string lie_;
  std::optional<Error> fatal_;
};

}  // namespace safeguard::apps::pull
