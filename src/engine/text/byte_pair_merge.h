// Byte-pair merging by rank: the adjacent pair whose bytes together are the token of lowest rank is
// joined, the leftmost first, until none is a token (tiktoken's rule). Or by a list of merges: the
// pair that stands first in the list is joined (Hugging Face's rule).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/text/o200k/merge_table.h"
#include "engine/text/token_table.h"

namespace safeguard::engine {

// Scratch memory, to be kept between pieces by one thread.
class BytePairMerger {
 public:
  // `ranks` maps tokens to ranks; it must hold every single byte and outlive the merger.
  explicit BytePairMerger(const TokenTable& ranks) : ranks_(ranks) {}

  // By `merges`, which must outlive the merger too. `whole_pieces`: a piece that is a token is that
  // token without any merging, as always by rank.
  BytePairMerger(const TokenTable& tokens, const MergeTable& merges, bool whole_pieces)
      : ranks_(tokens), merges_(&merges), whole_pieces_(whole_pieces) {}

  // Appends the tokens of `piece` to `out`. O(n log n), and O(n^2) only below a hundred bytes,
  // where that is faster.
  void Append(std::string_view piece, std::vector<std::uint32_t>& out);

 private:
  struct Part {
    std::uint32_t begin;
    std::uint32_t id;        // of this part; with merges only
    std::uint32_t rank;      // of this part joined with the next, kNone if the two do not join
    std::uint32_t joined;    // the id of that; with merges only
    std::uint32_t previous;  // by index; used by AppendLong
    std::uint32_t next;
  };

  void AppendShort(std::string_view piece, std::vector<std::uint32_t>& out);
  void AppendLong(std::string_view piece, std::vector<std::uint32_t>& out);
  void Fill(std::string_view piece);
  void Rank(std::string_view piece, Part& part, const Part& next, std::uint32_t end) const;
  void Rerank(std::string_view piece, std::uint32_t part);
  [[nodiscard]] std::uint32_t IdOf(std::string_view piece, const Part& part,
                                   std::uint32_t end) const;
  [[nodiscard]] std::uint32_t RankOf(std::string_view bytes) const;

  const TokenTable& ranks_;
  const MergeTable* merges_ = nullptr;
  bool whole_pieces_ = true;
  std::vector<Part> parts_;
  std::vector<std::uint64_t> heap_;  // rank << 32 | index of a part; stale ones are skipped
};

}  // namespace safeguard::engine
