// What a fastText model must be before the library may see it: its reader believes every number.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"

namespace safeguard::judges {

inline constexpr std::size_t kFastTextDimensionMax = 1024;
inline constexpr std::size_t kFastTextRowsMax = std::size_t{4} << 20;  // words and buckets
inline constexpr std::size_t kFastTextWordsMax = std::size_t{2} << 20;
inline constexpr std::size_t kFastTextWordBytesMax = 1024;

// Accepts what the library writes (format 12) for a supervised softmax model with exactly two
// labels, neither pruned nor quantised: every count agrees with every other and with the length,
// every word and weight is sound. kCorruptFile, naming what is wrong, for anything else.
Status CheckFastTextFile(std::string_view bytes);

}  // namespace safeguard::judges
