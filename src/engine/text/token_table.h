// An immutable map from byte strings to token ids, made for probing many prefixes of the same
// text: the hash is extended byte by byte, and a probe allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace safeguard::engine {

// Tokens in the order of their file, all bytes in one string.
class TokenList {
 public:
  // REQUIRES: all bytes together stay under 4 GiB.
  void Add(std::string_view bytes, std::uint32_t id);

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] std::string_view bytes(std::size_t i) const {
    return std::string_view(bytes_).substr(entries_[i].begin, entries_[i].length);
  }
  [[nodiscard]] std::uint32_t id(std::size_t i) const { return entries_[i].id; }

 private:
  struct Entry {
    std::uint32_t begin;
    std::uint32_t length;
    std::uint32_t id;
  };
  std::string bytes_;
  std::vector<Entry> entries_;
};

class TokenTable {
 public:
  static constexpr std::uint64_t kEmptyHash = 0x2545F4914F6CDD1DU;

  // The hash of what `hash` stands for, with `byte` after it.
  static std::uint64_t Extend(std::uint64_t hash, char byte) {
    return (hash ^ static_cast<unsigned char>(byte)) * 0x9E3779B97F4A7C15U;
  }

  // kCorruptFile when two tokens have the same bytes or the bytes were chosen to collide; the
  // message counts entries from 0.
  static Result<TokenTable> Build(TokenList tokens);

  // `hash` must be that of `bytes`.
  [[nodiscard]] std::optional<std::uint32_t> Find(std::string_view bytes, std::uint64_t hash) const;
  [[nodiscard]] std::optional<std::uint32_t> Find(std::string_view bytes) const;

  [[nodiscard]] const TokenList& tokens() const { return tokens_; }
  [[nodiscard]] std::size_t longest() const { return longest_; }  // bytes

 private:
  struct Slot {
    std::uint32_t tag = 0;    // part of the hash: most misses end here
    std::uint32_t entry = 0;  // index + 1; 0 is a free slot
  };

  explicit TokenTable(TokenList tokens);
  Status Insert(std::size_t entry);
  [[nodiscard]] std::size_t Home(std::uint64_t hash) const { return hash >> shift_; }
  static std::uint32_t Tag(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 8); }

  TokenList tokens_;
  std::vector<Slot> slots_;  // a power of two, at most half full; linear probing
  int shift_ = 0;
  std::size_t longest_ = 0;
};

}  // namespace safeguard::engine
