// The merges of a byte-pair encoding as a file lists them: which two neighbours join, in which
// order.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/text/token_table.h"

namespace safeguard::engine {

class MergeTable {
 public:
  struct Join {
    std::uint32_t order;  // lower ones first
    std::uint32_t id;     // what the two become
  };

  // `merge(i)` is "left right" in byte spelling (byte_spelling.h), first merge first. `tokens` are
  // all ordinary tokens, every single byte among them. kCorruptFile, counting merges from 0, when
  // one is malformed, is there twice, or speaks of what is no token.
  static Result<MergeTable> Build(const TokenTable& tokens, std::size_t count,
                                  const std::function<std::string_view(std::size_t)>& merge);

  [[nodiscard]] std::optional<Join> Find(std::uint32_t left, std::uint32_t right) const;
  [[nodiscard]] std::uint32_t byte_id(unsigned char byte) const { return byte_ids_[byte]; }

  // True when joining by these merges is joining whatever two neighbours make the token of lowest
  // id: every way to cut a token into two tokens is a merge, and their order is that of the tokens
  // they make.
  [[nodiscard]] bool FollowsIds(const TokenTable& tokens) const;

 private:
  struct Entry {
    std::uint64_t pair;  // left << 32 | right
    Join join;
  };

  std::vector<Entry> entries_;  // by pair
  std::array<std::uint32_t, 256> byte_ids_{};
};

}  // namespace safeguard::engine
