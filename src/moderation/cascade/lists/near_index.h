// Finds the fingerprints that are close to one, among many: locality-sensitive hashing in 16 bands
// of 4 values. A pair of similarity 0.8 shares a band with a probability of 0.9998, one of 0.7 with
// 0.988, one of 0.3 with 0.12.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "moderation/cascade/lists/near_duplicate.h"

namespace safeguard::moderation::lists {

class NearIndex {
 public:
  // `similarity`: from which estimate on it hits. The index of the entry is the order of adding.
  void Add(const Fingerprint& fingerprint, double similarity);

  struct Near {
    std::size_t index = 0;
    double similarity = 0;
  };
  // All that the text is near to, ascending. Constant time for texts that are much longer than all
  // that was added, but for reading them.
  [[nodiscard]] std::vector<Near> Find(std::string_view text) const;

  [[nodiscard]] bool empty() const { return entries_.empty(); }

 private:
  struct Entry {
    Fingerprint fingerprint;
    double similarity = 1;
  };
  std::vector<Entry> entries_;
  std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> bands_;
  std::size_t shingles_max_ = 0;  // of a text that can be near to any
};

}  // namespace safeguard::moderation::lists
