// FileStore: files that people send to the service and that it makes for them (lines of a batch and
// their results, labelled data, reports). Implemented in storage/ on SQLite, in memory for tests.
// They hold content: whoever sends one asks for that, and removes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "moderation/policy_store.h"

namespace safeguard::moderation {

inline constexpr std::size_t kFileBytesMax = std::size_t{100} << 20;  // of one that is sent
inline constexpr std::size_t kFileNameBytesMax = 256;
inline constexpr std::size_t kFileNotesBytesMax = 16'384;
inline constexpr std::size_t kFilePageMax = 1000;

struct FileInfo {
  std::string id;       // "file-" and 24 hexadecimal digits; never given again
  std::string owner;    // whose it is: nobody else's files are there for a caller
  std::string purpose;  // "batch", "batch_output", "dataset", "eval_report"
  std::string name;
  std::size_t bytes = 0;
  TimeMs created = 0;
  std::string notes{};      // of whoever keeps it: how the bytes are to be read
  std::int64_t number = 0;  // higher than those of the files before; never given again
};

struct NewFile {
  std::string owner;
  std::string purpose;
  std::string name;
  std::string bytes;
  std::string notes{};  // kept as they are
};

// Bytes that lie somewhere, read a piece at a time.
struct ByteSource {
  std::size_t size = 0;
  // At most `count` bytes from byte `from` on; fewer only at the end.
  std::function<Result<std::string>(std::size_t from, std::size_t count)> read;
};

inline constexpr std::size_t kFilePieceBytes = std::size_t{1} << 20;  // read and written at once

struct FileQuery {
  std::string owner;
  std::string purpose{};    // empty: all
  std::string after{};      // the id that ended the page before; empty: from the beginning
  std::int64_t before = 0;  // only those with a lower number, be it there or not; 0: all
  std::size_t limit = 100;  // 1..kFilePageMax
};

struct FileLimits {
  std::size_t files_max = 10'000;
  std::size_t bytes_max = std::size_t{8} << 30;  // of all files
};

// Thread-safe; any number of processes. What a call has acknowledged is on the disk. Errors:
// kInvalidInput for a wrong argument, kLimit for what is over a limit, kNotFound for a file that
// is not there or is another owner's, kUnavailable and kCorruptFile for the store.
class FileStore {
 public:
  virtual ~FileStore() = default;
  // The file's bytes are those of `bytes`, which are never in memory as a whole; file.bytes is not
  // looked at, and which do not lie in this store. When they cannot be read their error is given,
  // and nothing is kept.
  virtual Result<FileInfo> AddFrom(const NewFile& file, const ByteSource& bytes, TimeMs now) = 0;
  // The same with file.bytes.
  Result<FileInfo> Add(const NewFile& file, TimeMs now);
  virtual Result<FileInfo> Find(const std::string& owner, const std::string& id) = 0;
  virtual Result<std::string> Read(const std::string& owner, const std::string& id) = 0;
  // At most `count` bytes from byte `from` on, without the rest in memory; empty past the end.
  virtual Result<std::string> ReadPart(const std::string& owner, const std::string& id,
                                       std::size_t from, std::size_t count) = 0;
  // Newest first.
  virtual Result<std::vector<FileInfo>> List(const FileQuery& query) = 0;
  virtual Status Remove(const std::string& owner, const std::string& id) = 0;
};

// Of `bytes`, which outlive it.
ByteSource SourceOf(std::string_view bytes);
// Of a kept file; the store outlives it.
ByteSource SourceOf(FileStore& files, const FileInfo& file);
// Gives all bytes of `source` to `take`, a piece after the other.
Status ForEachPiece(const ByteSource& source,
                    const std::function<Status(std::size_t at, std::string_view piece)>& take);

std::unique_ptr<FileStore> MemoryFileStore(const FileLimits& limits);

// What implementations share.
Status CheckNewFile(const NewFile& file);
Status CheckRoom(const FileLimits& limits, std::size_t files, std::size_t bytes, std::size_t more);
std::string NewId(const std::string& prefix);  // and 24 hexadecimal digits that nobody can guess
std::unexpected<Error> NoSuchFile(const std::string& id);

}  // namespace safeguard::moderation
