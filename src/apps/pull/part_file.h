// A file that is being fetched: PATH.part with its final size and holes, and PATH.state beside it.
// The state never promises more than the disk holds: chunks are named in it only after the part
// was synced. A kill at any moment therefore loses at most what came since the last Sync().
// Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "apps/pull/http_client.h"
#include "apps/pull/part_state.h"
#include "apps/pull/pull_folder.h"
#include "apps/pull/remote_file.h"

namespace safeguard::apps::pull {

class PartFile {
 public:
  // Goes on with the part at `path` when its state is of the same bytes (identity, size), else
  // begins anew. Reserves the space on disk where the file system can. `chunk_bytes` applies to a
  // new part.
  static Result<std::unique_ptr<PartFile>> Open(const std::string& path, const RemoteFile& file,
                                                std::uint64_t chunk_bytes);

  // Writes at `offset`. REQUIRES: within the size.
  [[nodiscard]] Status Write(std::uint64_t offset, std::string_view bytes);
  // Counts as done every chunk that ends in (begin, end]. REQUIRES: from the beginning of the chunk
  // that `begin` lies in, all bytes up to `end` have been written.
  void Advance(std::uint64_t begin, std::uint64_t end);
  // Forgets all chunks.
  void Clear();
  // Makes what has been done durable. Cheap when nothing is new.
  [[nodiscard]] Status Sync();
  // Deletes part and state.
  [[nodiscard]] Status Remove();
  // Deletes the state alone: the part has been renamed into place.
  [[nodiscard]] Status RemoveState();

  // The runs of chunks that are still to be fetched, each of at most `chunks_max`.
  [[nodiscard]] std::vector<ByteRange> Missing(std::uint64_t chunks_max) const;
  [[nodiscard]] std::uint64_t bytes_done() const { return bytes_done_; }
  [[nodiscard]] bool complete() const { return bytes_done_ == state_.size; }
  // What has arrived of the chunk that `position` lies in, when all of it up to there has.
  [[nodiscard]] std::uint64_t OfChunk(std::uint64_t position) const {
    return position % state_.chunk_bytes;
  }
  [[nodiscard]] std::string part_path() const { return path_ + ".part"; }

 private:
  PartFile(std::string path, FileDescriptor file, PartState state);
  [[nodiscard]] Status BeginAnew();

  std::string path_;
  FileDescriptor file_;
  PartState state_;
  std::uint64_t bytes_done_ = 0;
  bool dirty_ = false;
};

// Bytes on disk of the part at `path` that can be gone on with; 0 when there is none.
std::uint64_t ReservedBytes(const std::string& path);

}  // namespace safeguard::apps::pull
