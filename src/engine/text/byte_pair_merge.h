// Byte-pair merging by rank: the adjacent pair whose bytes together are the token of lowest rank is
// joined, the leftmost first, until none is a token (tiktoken's rule).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/text/token_table.h"

namespace safeguard::engine {

// Scratch memory, to be kept between pieces by one thread.
class BytePairMerger {
 public:
  // `ranks` maps tokens to ranks; it must hold every single byte and outlive the merger.
  explicit BytePairMerger(const TokenTable& ranks) : ranks_(ranks) {}

  // Appends the tokens of `piece` to `out`. O(n log n), and O(n^2) only below a hundred bytes,
  // where that is faster.
  void Append(std::string_view piece, std::vector<std::uint32_t>& out);

 private:
  struct Part {
    std::uint32_t begin;
    std::uint32_t rank;      // of this part joined with the next, kNone if that is no token
    std::uint32_t previous;  // by index; used by AppendLong
    std::uint32_t next;
  };

  void AppendShort(std::string_view piece, std::vector<std::uint32_t>& out);
  void AppendLong(std::string_view piece, std::vector<std::uint32_t>& out);
  void Rerank(std::string_view piece, std::uint32_t part);
  [[nodiscard]] std::uint32_t RankOf(std::string_view bytes) const;

  const TokenTable& ranks_;
  std::vector<Part> parts_;
  std::vector<std::uint64_t> heap_;  // rank << 32 | index of a part; stale ones are skipped
};

}  // namespace safeguard::engine
