#include "engine/cpu/packed/packed_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <thread>
#include <utility>

#include "base/hash.h"
#include "engine/cpu/packed/packed_writer.h"
#include "engine/model/fingerprint.h"

namespace safeguard::engine::cpu {
namespace {

namespace fs = std::filesystem;

// Less than this is fast in small pages, too.
constexpr std::size_t kHugeMattersBytes = std::size_t{256} << 20;
constexpr std::chrono::minutes kWaitMax{10};
constexpr std::chrono::milliseconds kWaitStep{50};
constexpr std::size_t kNameDigits = 24;
constexpr std::string_view kSuffix = ".packed";

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

std::unexpected<Error> SystemFail(const std::string& what, int error) {
  return Fail(ErrorCode::kUnavailable, what + ": " + std::strerror(error));
}

Status ReadExactly(int fd, std::span<std::byte> to) {
  off_t at = 0;
  while (!to.empty()) {
    const ssize_t count = ::pread(fd, to.data(), to.size(), at);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return SystemFail("cannot read it", errno);
    }
    if (count == 0) {
      return Fail(ErrorCode::kCorruptFile, "it is cut short");
    }
    at += count;
    to = to.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

// Its head, and `size` of the whole file.
Result<PackedHeader> ReadHead(int fd, std::uint64_t& size) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) {
    return SystemFail("cannot read it", errno);
  }
  if (!S_ISREG(status.st_mode)) {
    return Fail(ErrorCode::kCorruptFile, "it is no regular file");
  }
  size = static_cast<std::uint64_t>(status.st_size);
  std::vector<std::byte> bytes(kPackedHeaderFixedBytes);
  if (Status read = ReadExactly(fd, bytes); !read) {
    return std::unexpected(read.error());
  }
  const Result<std::size_t> whole = PackedHeaderBytes(bytes);
  if (!whole) {
    return std::unexpected(whole.error());
  }
  bytes.resize(*whole);
  if (Status read = ReadExactly(fd, bytes); !read) {
    return std::unexpected(read.error());
  }
  return ReadPackedHeader(bytes);
}

// Waits until no other process packs into `folder`; the lock ends with the descriptor. A folder
// can be locked as a file can, and nothing is left lying there.
Status LockFolder(int fd, const std::string& folder,
                  const std::function<void(const std::string&)>& note) {
  const auto end = std::chrono::steady_clock::now() + kWaitMax;
  bool told = false;
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return SystemFail("cannot lock " + folder, errno);
    }
    if (std::chrono::steady_clock::now() > end) {
      return Fail(ErrorCode::kUnavailable, "another process has been packing weights into " +
                                               folder + " for more than ten minutes");
    }
    if (!std::exchange(told, true)) {
      note("another process packs weights into " + folder + "; waiting for it");
    }
    std::this_thread::sleep_for(kWaitStep);
  }
  return {};
}

}  // namespace

Result<PackedStore> PackedStore::Open(const PackPlan& plan, std::span<const std::string> files,
                                      const PackedFileOptions& options, ThreadPool& pool) {
  const Result<std::string> fingerprint = Fingerprint(files);
  if (!fingerprint) {
    return std::unexpected(fingerprint.error());
  }
  const Result<std::string> times = FileTimes(files);
  if (!times) {
    return std::unexpected(times.error());
  }
  PackedStore store(plan, options, pool);
  store.times_ = *times;
  store.key_ = Blake2bHex(*fingerprint + "\n" + plan.Layout());
  const fs::path first = fs::path(files.front());
  store.name_ =
      first.stem().string() + "-" + store.key_.substr(0, kNameDigits) + std::string(kSuffix);
  if (options.beside_model) {
    store.folders_.push_back(first.has_parent_path() ? first.parent_path().string() : ".");
  }
  if (!options.cache_folder.empty()) {
    store.folders_.push_back(options.cache_folder);
  }
  return store;
}

void PackedStore::Note(const std::string& note) const {
  if (options_.on_note) {
    options_.on_note(note);
  }
}

std::optional<StoredWeights> PackedStore::Find() {
  for (const std::string& folder : folders_) {
    const std::string path = (fs::path(folder) / name_).string();
    Result<StoredWeights> opened = OpenFile(path);
    if (opened) {
      return std::move(*opened);
    }
    if (opened.error().code != ErrorCode::kNotFound) {
      Note("packed weights are not used: " + path + ": " + opened.error().message);
    }
  }
  return std::nullopt;
}

Result<StoredWeights> PackedStore::OpenFile(const std::string& path) const {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    return errno == ENOENT || errno == ENOTDIR ? Fail(ErrorCode::kNotFound, path)
                                               : SystemFail("cannot open it", errno);
  }
  std::uint64_t size = 0;
  Result<PackedHeader> header = ReadHead(file.get(), size);
  if (!header) {
    return std::unexpected(header.error());
  }
  if (header->key != key_ || header->times != times_) {
    return Fail(ErrorCode::kCorruptFile, "the model's files have changed since");
  }
  StoredWeights weights;
  weights.begin = PackedDataBegin(WritePackedHeader(*header).size());
  if (header->data_bytes != plan_.bytes() || header->packed.size() != plan_.matrices().size() ||
      size != weights.begin + plan_.bytes()) {
    return Fail(ErrorCode::kCorruptFile, "it is cut short, or too long");
  }
  Result<PackedMemory> mapped = PackedMemory::Map(file.get(), size);
  if (!mapped) {
    return std::unexpected(mapped.error());
  }
  weights.memory = std::move(*mapped);
  if (Status checked = Check(*header, weights); !checked) {
    return std::unexpected(checked.error());
  }
  weights.memory = InHugePages(std::move(weights.memory));
  weights.packed = std::move(header->packed);
  weights.path = path;
  return weights;
}

// Reads every byte, which the network will do anyway.
Status PackedStore::Check(const PackedHeader& header, const StoredWeights& weights) const {
  std::atomic<bool> readable = true;
  std::atomic<bool> right = true;
  const std::span<const std::byte> data(weights.memory.data() + weights.begin, header.data_bytes);
  pool_.ParallelFor(header.chunks.size(), [&](std::size_t i, std::size_t) {
    const auto chunk = data.subspan(
        i * kPackedChunk, std::min<std::size_t>(kPackedChunk, data.size() - i * kPackedChunk));
    if (!readable || !right) {
      return;
    }
    if (!PopulateMapping(chunk.data(), chunk.size())) {
      readable = false;
    } else if (PackedSum(chunk) != header.chunks[i]) {
      right = false;
    }
  });
  if (!readable) {
    return Fail(ErrorCode::kUnavailable, "the disk cannot read it");
  }
  return right ? Status() : Fail(ErrorCode::kCorruptFile, "its weights are damaged");
}

// A file that the system holds in small pages is read at half the speed for as long as the model
// runs: then its bytes are copied once.
PackedMemory PackedStore::InHugePages(PackedMemory mapped) const {
  if (mapped.bytes() < kHugeMattersBytes || HugeShare(mapped) > 0.5) {
    return mapped;
  }
  Result<PackedMemory> copy = CopyOf(mapped, pool_);
  return copy ? std::move(*copy) : std::move(mapped);  // slower, but there
}

Result<StoredWeights> PackedStore::Make() {
  Result<StoredWeights> made =
      Fail(ErrorCode::kUnavailable, "there is no folder for packed weights");
  for (const std::string& folder : folders_) {
    made = MakeIn(folder);
    if (made) {
      return made;
    }
    Note("packed weights cannot be kept in " + folder + ": " + made.error().message);
  }
  return made;
}

void PackedStore::RemoveStale(const std::string& folder) const {
  const std::string begin = name_.substr(0, name_.size() - kNameDigits - kSuffix.size());
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.size() != name_.size() || !name.starts_with(begin) || !name.ends_with(kSuffix)) {
      continue;
    }
    const Descriptor file(::open(entry->path().c_str(), O_RDONLY | O_CLOEXEC));
    std::uint64_t size = 0;
    const Result<PackedHeader> header =
        file.get() < 0 ? Fail(ErrorCode::kNotFound, name) : ReadHead(file.get(), size);
    if (header && header->times != times_) {
      Note("removing " + entry->path().string() + ": the model's files have changed since");
      std::error_code ignored;  // it stays, and takes room
      fs::remove(entry->path(), ignored);
    }
  }
}

Result<StoredWeights> PackedStore::MakeIn(const std::string& folder) {
  if (folder == options_.cache_folder) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) {
      return Fail(ErrorCode::kUnavailable, "cannot make the folder: " + error.message());
    }
  }
  if (::access(folder.c_str(), W_OK) != 0) {
    return SystemFail("cannot write there", errno);
  }
  const Descriptor locked(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (locked.get() < 0) {
    return SystemFail("cannot open " + folder, errno);
  }
  if (Status status = LockFolder(locked.get(), folder, [this](const auto& note) { Note(note); });
      !status) {
    return std::unexpected(status.error());
  }
  const std::string path = (fs::path(folder) / name_).string();
  if (Result<StoredWeights> theirs = OpenFile(path)) {
    return theirs;  // another process has just made it
  }
  if (Status written = WritePackedFile(plan_, path, key_, times_, pool_); !written) {
    return std::unexpected(written.error());
  }
  if (folder != options_.cache_folder) {  // there, a file of the same name may be another model's
    RemoveStale(folder);
  }
  Result<StoredWeights> ours = OpenFile(path);
  if (ours) {
    ours->made = true;
  }
  return ours;
}

}  // namespace safeguard::engine::cpu
