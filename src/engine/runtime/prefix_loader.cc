#include "engine/runtime/prefix_loader.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <utility>

#include "base/file.h"
#include "engine/runtime/prefix_file.h"

namespace safeguard::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".prefix";
constexpr std::size_t kWaitingBytesMax = std::size_t{1} << 30;
constexpr std::chrono::milliseconds kWait{20};

}  // namespace

PrefixLoader::PrefixLoader(PrefixFolder folder, std::function<void(const std::string&)> on_note)
    : folder_(std::move(folder)), on_note_(std::move(on_note)), thread_([this] { Loop(); }) {}

PrefixLoader::~PrefixLoader() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

std::string PrefixLoader::PathOf(const std::string& key) const {
  return (fs::path(folder_.path) / (key + std::string(kSuffix))).string();
}

void PrefixLoader::Note(const std::string& note) const {
  if (on_note_) {
    on_note_(note);
  }
}

PrefixLoader::Answer PrefixLoader::Ask(std::span<const std::uint32_t> prefix,
                                       const std::string& salt) {
  if (prefix.size() < kStoredTokensMin) {
    return Answer::kNone;
  }
  const std::string key = PrefixKey{folder_.model, salt, prefix}.Hash();
  const auto known = known_.find(key);
  if (known != known_.end()) {
    return known->second == State::kComing ? Answer::kComing : Answer::kNone;
  }
  std::error_code ignored;  // what cannot be seen is not there
  if (!fs::is_regular_file(PathOf(key), ignored)) {
    known_.emplace(key, State::kAbsent);
    return Answer::kNone;
  }
  known_.emplace(key, State::kComing);
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back({key, salt, {prefix.begin(), prefix.end()}, false, {}});
    ++coming_;
  }
  wake_.notify_one();
  return Answer::kComing;
}

std::vector<PrefixLoader::Loaded> PrefixLoader::TakeLoaded() {
  std::vector<Loaded> loaded;
  std::vector<std::string> failed;
  {
    const std::lock_guard lock(mutex_);
    loaded.swap(loaded_);
    failed.swap(failed_);
  }
  for (const std::string& key : failed) {
    known_[key] = State::kAbsent;
  }
  for (const Loaded& one : loaded) {
    known_.erase(one.key);  // when memory drops it, it may be read again
  }
  return loaded;
}

void PrefixLoader::Reject(const Loaded& loaded, const Error& error) {
  known_[loaded.key] = State::kAbsent;
  if (error.code == ErrorCode::kInvalidInput) {
    std::error_code ignored;  // it is written over in the end
    fs::remove(PathOf(loaded.key), ignored);
    Note("a kept prefix is not used and is written anew: " + error.message + " (" +
         PathOf(loaded.key) + ")");
  }
}

void PrefixLoader::WaitForOne() {
  std::unique_lock lock(mutex_);
  loaded_one_.wait_for(lock, kWait, [this] { return coming_ == 0 || !loaded_.empty(); });
}

void PrefixLoader::Store(std::span<const std::uint32_t> prefix, const std::string& salt,
                         std::vector<std::byte> bytes) {
  if (prefix.size() < kStoredTokensMin) {
    return;
  }
  std::string key = PrefixKey{folder_.model, salt, prefix}.Hash();
  known_.erase(key);
  {
    const std::lock_guard lock(mutex_);
    if (no_more_stores_ || waiting_bytes_ + bytes.size() > kWaitingBytesMax) {
      return;
    }
    waiting_bytes_ += bytes.size();
    jobs_.push_back({std::move(key), salt, {prefix.begin(), prefix.end()}, true, std::move(bytes)});
  }
  wake_.notify_one();
}

std::uint64_t PrefixLoader::stores() const {
  const std::lock_guard lock(mutex_);
  return stores_;
}

void PrefixLoader::Loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stop_ || !jobs_.empty(); });
    if (stop_) {
      std::erase_if(jobs_, [](const Job& job) { return !job.store; });
    }
    if (jobs_.empty()) {
      if (stop_) {
        return;
      }
      continue;
    }
    // What is waited for goes first.
    const auto first = std::ranges::find(jobs_, false, &Job::store);
    const auto it = first == jobs_.end() ? jobs_.begin() : first;
    Job job = std::move(*it);
    jobs_.erase(it);
    lock.unlock();
    if (job.store) {
      Save(job);
    } else {
      Load(std::move(job));
    }
    lock.lock();
  }
}

void PrefixLoader::Load(Job job) {
  const std::string path = PathOf(job.key);
  Result<std::vector<std::byte>> bytes = std::vector<std::byte>();
  if (const auto file = MappedFile::Open(path); !file) {
    bytes = std::unexpected(file.error());
  } else {
    const auto sequence = ReadPrefixFile({folder_.model, job.salt, job.tokens}, (*file)->bytes());
    if (sequence) {
      bytes->assign(sequence->begin(), sequence->end());
    } else {
      bytes = std::unexpected(sequence.error());
    }
  }
  if (bytes) {
    std::error_code ignored;  // the time only says which file was used last
    fs::last_write_time(path, fs::file_time_type::clock::now(), ignored);
  } else {
    Note(bytes.error().message + "; " + bytes.error().hint + " (" + path + ")");
  }
  {
    const std::lock_guard lock(mutex_);
    --coming_;
    if (bytes) {
      loaded_.push_back({job.key, job.salt, std::move(job.tokens), std::move(*bytes)});
    } else {
      failed_.push_back(job.key);
    }
  }
  loaded_one_.notify_one();
}

// Removes the files used longest ago until `bytes` more fit.
void PrefixLoader::MakeRoom(std::uint64_t bytes) const {
  struct File {
    fs::file_time_type used;
    std::uint64_t size;
    fs::path path;
  };
  std::vector<File> files;
  std::error_code error;
  for (auto it = fs::directory_iterator(folder_.path, error);
       !error && it != fs::directory_iterator(); it.increment(error)) {
    std::error_code gone;  // another process may remove files too
    const std::uint64_t size = it->path().extension() == kSuffix ? it->file_size(gone) : 0;
    const fs::file_time_type used = it->last_write_time(gone);
    if (!gone && size > 0) {
      files.push_back({used, size, it->path()});
    }
  }
  std::ranges::sort(files, {}, &File::used);
  std::uint64_t total = bytes;
  for (const File& file : files) {
    total += file.size;
  }
  for (const File& file : files) {
    if (total <= folder_.bytes_max) {
      return;
    }
    std::error_code gone;
    fs::remove(file.path, gone);
    total -= file.size;
  }
}

void PrefixLoader::Save(const Job& job) {
  {
    const std::lock_guard lock(mutex_);
    if (no_more_stores_) {
      return;
    }
  }
  const std::string file = WritePrefixFile({folder_.model, job.salt, job.tokens}, job.bytes);
  Status written;
  const bool fits = file.size() <= folder_.bytes_max;
  if (!fits) {
    Note("a prefix of " + std::to_string(job.tokens.size()) +
         " tokens is not kept on disk: it takes " + std::to_string(file.size() >> 20) +
         " MiB, and all of them may take " + std::to_string(folder_.bytes_max >> 20));
  } else {
    std::error_code error;
    fs::create_directories(folder_.path, error);
    MakeRoom(file.size());
    written = WriteFileAtomically(PathOf(job.key), file);
    if (!written) {
      Note("prefixes are no longer kept on disk: " + Describe(written.error()));
    }
  }
  const std::lock_guard lock(mutex_);
  waiting_bytes_ -= job.bytes.size();
  stores_ += fits && written ? 1 : 0;
  no_more_stores_ = no_more_stores_ || !written;
}

}  // namespace safeguard::engine
