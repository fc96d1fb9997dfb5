#include "engine/runtime/prefix_cache.h"

#include <algorithm>

namespace safeguard::engine {
namespace {

constexpr std::uint64_t kEmptyHash = 0x2545F4914F6CDD1DU;

std::uint64_t Extend(std::uint64_t hash, std::uint32_t token) {
  hash = (hash ^ token) * 0x9E3779B97F4A7C15U;
  return hash ^ (hash >> 32);
}

}  // namespace

std::uint64_t HashTokens(std::span<const std::uint32_t> tokens) {
  std::uint64_t hash = kEmptyHash;
  for (const std::uint32_t token : tokens) {
    hash = Extend(hash, token);
  }
  return hash;
}

PrefixCache::~PrefixCache() {
  for (const auto& [hash, entry] : entries_) {
    forward_.Drop(entry.sequence);
  }
}

// A hash names at most one entry; the tokens decide.
PrefixCache::Entries::const_iterator PrefixCache::At(std::span<const std::uint32_t> prefix,
                                                     std::uint64_t hash) const {
  const auto it = entries_.find(hash);
  return it != entries_.end() && std::ranges::equal(it->second.tokens, prefix) ? it
                                                                               : entries_.end();
}

PrefixCache::Found PrefixCache::Find(std::span<const std::uint32_t> prompt) {
  Found found;
  std::uint64_t hash = kEmptyHash;
  std::size_t hashed = 0;
  Entry* best = nullptr;
  for (const auto& [length, count] : lengths_) {
    if (length >= prompt.size()) {
      break;
    }
    for (; hashed < length; ++hashed) {
      hash = Extend(hash, prompt[hashed]);
    }
    const auto it = At(prompt.first(length), hash);
    if (it != entries_.end()) {
      best = &entries_.at(hash);
      found = {.length = length, .sequence = best->sequence};
    }
  }
  if (best == nullptr) {
    ++misses_;
  } else {
    best->used = ++clock_;
    ++hits_;
  }
  return found;
}

bool PrefixCache::Contains(std::span<const std::uint32_t> prefix) const {
  return At(prefix, HashTokens(prefix)) != entries_.end();
}

void PrefixCache::Keep(std::span<const std::uint32_t> prefix, SequenceId sequence) {
  const std::uint64_t hash = HashTokens(prefix);
  if (entries_max_ == 0 || entries_.contains(hash)) {
    return;  // a colliding prefix is simply not kept
  }
  while (entries_.size() >= entries_max_) {
    EvictOne();
  }
  entries_.emplace(hash, Entry{.tokens = {prefix.begin(), prefix.end()},
                               .sequence = forward_.Fork(sequence),
                               .used = ++clock_});
  ++lengths_[prefix.size()];
}

void PrefixCache::Erase(Entries::iterator entry) {
  const auto length = lengths_.find(entry->second.tokens.size());
  if (--length->second == 0) {
    lengths_.erase(length);
  }
  forward_.Drop(entry->second.sequence);
  entries_.erase(entry);
}

bool PrefixCache::EvictOne() {
  const auto oldest =
      std::ranges::min_element(entries_, {}, [](const auto& entry) { return entry.second.used; });
  if (oldest == entries_.end()) {
    return false;
  }
  Erase(oldest);
  return true;
}

}  // namespace safeguard::engine
