// Longest common subsequences, bounded.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace safeguard::moderation::reading {

// Cells of the table beyond which the middle is taken as wholly different.
inline constexpr std::size_t kSequenceCellsMax = std::size_t{4} << 20;

// Index pairs of a longest common subsequence, in order. Equal beginnings and ends cost nothing;
// what lies between takes the product of its lengths, or is given up over kSequenceCellsMax.
template <typename T>
std::vector<std::pair<std::size_t, std::size_t>> CommonSequence(const std::vector<T>& a,
                                                                const std::vector<T>& b) {
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  std::size_t begin = 0;
  while (begin < a.size() && begin < b.size() && a[begin] == b[begin]) {
    pairs.emplace_back(begin, begin);
    ++begin;
  }
  std::size_t tail = 0;
  while (tail < a.size() - begin && tail < b.size() - begin &&
         a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) {
    ++tail;
  }
  const std::size_t n = a.size() - begin - tail;
  const std::size_t m = b.size() - begin - tail;
  if (n > 0 && m > 0 && (n + 1) * (m + 1) <= kSequenceCellsMax) {
    std::vector<std::uint32_t> length((n + 1) * (m + 1));  // of what follows (i, j)
    for (std::size_t i = n; i-- > 0;) {
      for (std::size_t j = m; j-- > 0;) {
        length[i * (m + 1) + j] =
            a[begin + i] == b[begin + j]
                ? length[(i + 1) * (m + 1) + j + 1] + 1
                : std::max(length[(i + 1) * (m + 1) + j], length[i * (m + 1) + j + 1]);
      }
    }
    for (std::size_t i = 0, j = 0; i < n && j < m;) {
      if (a[begin + i] == b[begin + j]) {
        pairs.emplace_back(begin + i++, begin + j++);
      } else if (length[(i + 1) * (m + 1) + j] >= length[i * (m + 1) + j + 1]) {
        ++i;
      } else {
        ++j;
      }
    }
  }
  for (std::size_t k = tail; k > 0; --k) {
    pairs.emplace_back(a.size() - k, b.size() - k);
  }
  return pairs;
}

}  // namespace safeguard::moderation::reading
