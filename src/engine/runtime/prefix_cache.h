// Sequences that are kept for the beginnings of prompts: a radix tree over token ids. Sliding
// layers keep only the keys that their window can still reach, so a sequence can serve only prompts
// that go on from its very end: what is kept are explicit ends, such as the end of a policy's
// message. Beginnings that two ends share are stored once, here and in Forward's pages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/model/forward.h"

namespace safeguard::engine {

std::uint64_t HashTokens(std::span<const std::uint32_t> tokens);

// Used by the engine's thread only. Owns the sequences it keeps.
//
// Over entries_max the cheapest goes: least uses times tokens that would have to be computed again,
// for each byte that it holds, with an allowance for age (GreedyDual-Size-Frequency, Cherkasova
// 1998). An end that others go on from holds next to nothing of its own, so it goes after them.
class PrefixCache {
 public:
  PrefixCache(Forward& forward, std::size_t entries_max);
  ~PrefixCache();
  PrefixCache(const PrefixCache&) = delete;
  PrefixCache& operator=(const PrefixCache&) = delete;

  struct Found {
    std::size_t length = 0;  // 0: nothing
    SequenceId sequence{};   // the cache's own: fork it
  };
  // The longest kept beginning of `prompt` that leaves at least one token of it, with a count of
  // hits and misses and as used once more. Only what was kept with the same salt is found. What is
  // found counts as in use until Release(its sequence).
  Found Find(std::span<const std::uint32_t> prompt, const std::string& salt = {});
  // A user has ended; one that was dropped meanwhile is left alone.
  void Release(SequenceId sequence);
  [[nodiscard]] bool Contains(std::span<const std::uint32_t> prefix,
                              const std::string& salt = {}) const;
  // Keeps a fork of `sequence`, which holds exactly `prefix`. False: it is kept already, or nothing
  // is ever kept.
  bool Keep(std::span<const std::uint32_t> prefix, SequenceId sequence,
            const std::string& salt = {});
  // Drops the cheapest: its pages are freed but for those that running sequences share. kUnused:
  // only one that is not in use. False: there is none.
  enum class Which : std::uint8_t { kUnused, kAny };
  bool EvictOne(Which which);

  [[nodiscard]] std::size_t size() const { return ends_.size(); }
  [[nodiscard]] std::uint64_t hits() const { return hits_; }
  [[nodiscard]] std::uint64_t misses() const { return misses_; }
  [[nodiscard]] std::uint64_t evictions() const { return evictions_; }

 private:
  struct Node;
  using Children = std::map<std::uint32_t, std::unique_ptr<Node>>;  // by their first token
  struct Node {
    Node* parent = nullptr;
    std::vector<std::uint32_t> tokens;  // from the parent's end to here
    std::size_t length = 0;             // from the beginning
    Children children;
    bool kept = false;  // an end: `sequence` is ours
    SequenceId sequence{};
    std::size_t users = 0;  // running
    double uses = 0;        // so far
    double worth = 0;       // what is least worth goes first
  };

  void Use(Node& node) const;
  Node& MakeEnd(Node& root, std::span<const std::uint32_t> prefix);
  Node& Split(Node& node, std::size_t at);
  void Erase(Node& node);

  Forward& forward_;
  std::size_t entries_max_;
  std::map<std::string, std::unique_ptr<Node>> roots_;  // by salt
  std::map<SequenceId, Node*> ends_;
  double age_ = 0;  // the worth of what went last
  std::uint64_t hits_ = 0;
  std::uint64_t misses_ = 0;
  std::uint64_t evictions_ = 0;
};

}  // namespace safeguard::engine
