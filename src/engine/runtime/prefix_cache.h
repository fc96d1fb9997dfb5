// Sequences that are kept for the beginnings of prompts, by their token ids. Sliding layers keep
// only the keys that their window can still reach, so a sequence can serve only prompts that go on
// from its very end: what is kept are explicit ends, such as the end of a policy's message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/model/forward.h"

namespace safeguard::engine {

std::uint64_t HashTokens(std::span<const std::uint32_t> tokens);

// Used by the engine's thread only. Owns the sequences it keeps.
class PrefixCache {
 public:
  PrefixCache(Forward& forward, std::size_t entries_max)
      : forward_(forward), entries_max_(entries_max) {}
  ~PrefixCache();
  PrefixCache(const PrefixCache&) = delete;
  PrefixCache& operator=(const PrefixCache&) = delete;

  struct Found {
    std::size_t length = 0;  // 0: nothing
    SequenceId sequence{};   // the cache's own: fork it
  };
  // The longest kept beginning of `prompt` that leaves at least one token of it, with a count of
  // hits and misses and as the most recently used.
  Found Find(std::span<const std::uint32_t> prompt);
  [[nodiscard]] bool Contains(std::span<const std::uint32_t> prefix) const;
  // Keeps a fork of `sequence`, which holds exactly `prefix`. Over entries_max the least recently
  // used goes.
  void Keep(std::span<const std::uint32_t> prefix, SequenceId sequence);
  // Drops the least recently used. False: empty.
  bool EvictOne();

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] std::uint64_t hits() const { return hits_; }
  [[nodiscard]] std::uint64_t misses() const { return misses_; }

 private:
  struct Entry {
    std::vector<std::uint32_t> tokens;
    SequenceId sequence{};
    std::uint64_t used = 0;
  };
  using Entries = std::unordered_map<std::uint64_t, Entry>;

  [[nodiscard]] Entries::const_iterator At(std::span<const std::uint32_t> prefix,
                                           std::uint64_t hash) const;
  void Erase(Entries::iterator entry);

  Forward& forward_;
  std::size_t entries_max_;
  Entries entries_;                             // by the hash of the tokens
  std::map<std::size_t, std::size_t> lengths_;  // entries of each length
  std::uint64_t clock_ = 0;
  std::uint64_t hits_ = 0;
  std::uint64_t misses_ = 0;
};

}  // namespace safeguard::engine
