// Prefixes kept in a folder, read and written by a thread of its own: the engine never waits for
// the disk while it has work. Optional and forgiving: whatever goes wrong there is told as a note,
// and the prefix is computed as if nothing had been kept.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"

namespace safeguard::engine {

// Shorter ones are not worth a file.
inline constexpr std::size_t kStoredTokensMin = 32;

struct PrefixFolder {
  std::string path;
  std::string model;            // whatever a sequence's bits depend on besides its tokens
  std::uint64_t bytes_max = 0;  // of all files; above, the ones used longest ago go
};

// Ask, Store, TakeLoaded, Reject and WaitForOne are called by one thread.
class PrefixLoader {
 public:
  // `on_note` is called from any thread; may be empty.
  PrefixLoader(PrefixFolder folder, std::function<void(const std::string&)> on_note);
  // Writes what is still to be written.
  ~PrefixLoader();
  PrefixLoader(const PrefixLoader&) = delete;
  PrefixLoader& operator=(const PrefixLoader&) = delete;

  enum class Answer : std::uint8_t { kComing, kNone };
  // Whether the prefix is on disk; it is then read, and TakeLoaded gives it.
  Answer Ask(std::span<const std::uint32_t> prefix, const std::string& salt);

  struct Loaded {
    std::string key;
    std::string salt;
    std::vector<std::uint32_t> tokens;
    std::vector<std::byte> bytes;  // as Forward::Export gave them
  };
  std::vector<Loaded> TakeLoaded();
  // The bytes could not be used: they are not asked for again, and a damaged file is removed.
  void Reject(const Loaded& loaded, const Error& error);
  // Waits a little for TakeLoaded to have something, or for nothing to be coming.
  void WaitForOne();

  // Writes it, unless it is there or too much waits to be written.
  void Store(std::span<const std::uint32_t> prefix, const std::string& salt,
             std::vector<std::byte> bytes);

  [[nodiscard]] std::uint64_t stores() const;

 private:
  enum class State : std::uint8_t { kComing, kAbsent };
  struct Job {
    std::string key;
    std::string salt;
    std::vector<std::uint32_t> tokens;
    bool store = false;
    std::vector<std::byte> bytes;
  };

  [[nodiscard]] std::string PathOf(const std::string& key) const;
  void Note(const std::string& note) const;
  void Loop();
  void Load(Job job);
  void Save(const Job& job);
  void MakeRoom(std::uint64_t bytes) const;

  const PrefixFolder folder_;
  const std::function<void(const std::string&)> on_note_;
  std::map<std::string, State> known_;  // of the calling thread

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable loaded_one_;
  std::deque<Job> jobs_;  // guarded by mutex_ from here on
  std::vector<Loaded> loaded_;
  std::vector<std::string> failed_;  // keys that could not be read
  std::size_t coming_ = 0;
  std::size_t waiting_bytes_ = 0;  // to be written
  std::uint64_t stores_ = 0;
  bool no_more_stores_ = false;
  bool stop_ = false;
  std::thread thread_;  // last: everything is there when it starts
};

}  // namespace safeguard::engine
