#include "moderation/cascade/lists/near_index.h"

#include <algorithm>

namespace safeguard::moderation::lists {
namespace {

constexpr std::size_t kBand = 4;  // values
constexpr std::size_t kBands = kHashes / kBand;
// The estimate strays from the similarity: a text is looked at until its set is so many times
// larger that even the least similarity that may be asked is out of reach by a wide margin.
constexpr std::size_t kTimesLonger = 2;

// A band's values are 64 bits together; its number keeps equal values of two bands apart.
std::uint64_t BandKey(const Fingerprint& fingerprint, std::size_t band) {
  std::uint64_t key = 0;
  for (std::size_t i = 0; i < kBand; ++i) {
    key = (key << 16U) | fingerprint.values[band * kBand + i];
  }
  return key ^ (0x9e3779b97f4a7c15ULL * (band + 1));
}

}  // namespace

void NearIndex::Add(const Fingerprint& fingerprint, double similarity) {
  const auto index = static_cast<std::uint32_t>(entries_.size());
  entries_.push_back({fingerprint, similarity});
  shingles_max_ = std::max<std::size_t>(shingles_max_, kTimesLonger * fingerprint.shingles);
  for (std::size_t band = 0; band < kBands; ++band) {
    bands_[BandKey(fingerprint, band)].push_back(index);
  }
}

std::vector<NearIndex::Near> NearIndex::Find(std::string_view text) const {
  std::vector<Near> found;
  const std::vector<std::uint64_t> shingles = Shingles(text, shingles_max_);
  if (entries_.empty() || shingles.size() > shingles_max_ || shingles.size() < kShinglesMin / 2) {
    return found;
  }
  const Fingerprint fingerprint = MakeFingerprint(shingles);
  std::vector<std::uint32_t> candidates;
  for (std::size_t band = 0; band < kBands; ++band) {
    if (const auto same = bands_.find(BandKey(fingerprint, band)); same != bands_.end()) {
      candidates.insert(candidates.end(), same->second.begin(), same->second.end());
    }
  }
  std::ranges::sort(candidates);
  const auto repeated = std::ranges::unique(candidates);
  candidates.erase(repeated.begin(), repeated.end());
  for (const std::uint32_t index : candidates) {
    const double similarity = Similarity(entries_[index].fingerprint, fingerprint);
    if (similarity >= entries_[index].similarity) {
      found.push_back({index, similarity});
    }
  }
  return found;
}

}  // namespace safeguard::moderation::lists
