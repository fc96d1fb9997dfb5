#include "engine/cpu/sequence_bytes.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

#include "base/check.h"
#include "base/hash.h"
#include "engine/model/forward.h"

namespace safeguard::engine::cpu {
namespace {

constexpr std::string_view kMark("SGKEYVAL", 8);
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kLengthAt = 40;
constexpr std::size_t kHeadBytes = 64;
constexpr std::size_t kDigestBytes = 64;
constexpr std::size_t kFirstPagesAt = kHeadBytes + kDigestBytes;
constexpr std::size_t kKernelsBytes = 16;
constexpr std::uint64_t kSlides = std::uint64_t{1} << 63;

template <typename T>
void Append(std::vector<std::byte>& bytes, T value) {
  const auto* from = reinterpret_cast<const std::byte*>(&value);
  bytes.insert(bytes.end(), from, from + sizeof value);
}

std::uint64_t WordAt(std::span<const std::byte> bytes, std::size_t at) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes.data() + at, sizeof word);
  return word;
}

std::string_view TextOf(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::unexpected<Error> Unusable(const std::string& why) {
  return Fail(ErrorCode::kInvalidInput, "the kept keys and values cannot be used: " + why,
              "compute the sequence anew");
}

// What no token has written yet, or what was forgotten, goes out as zeros.
void ClearFrom(const KvShape& shape, std::size_t slot, std::byte* page) {
  const std::size_t size = BytesOf(shape.type);
  const std::size_t padded = RoundUp(shape.head_dim, kHeadQuantum);
  for (std::size_t head = 0; head < shape.kv_heads; ++head) {
    std::byte* keys = page + head * shape.HeadBytes();
    std::byte* values = keys + KvKeyBytes(shape.head_dim, shape.type);
    for (std::size_t at = slot; at < kPagePositions; ++at) {
      for (std::size_t d = 0; d < shape.head_dim; ++d) {
        std::fill_n(keys + KvKeyIndex(shape.type, d, at) * size, size, std::byte{0});
        std::fill_n(values + KvValueIndex(shape.type, padded, at, d) * size, size, std::byte{0});
      }
    }
  }
}

}  // namespace

std::vector<std::byte> SequenceBytes::Head(std::size_t length) const {
  std::vector<std::byte> bytes;
  for (const char c : kMark) {
    bytes.push_back(static_cast<std::byte>(c));
  }
  const KvShape& shape = pages_.shape();
  for (const std::size_t number : {std::size_t{kVersion}, kPagePositions, config_.layers,
                                   shape.kv_heads, shape.head_dim, BytesOf(shape.type)}) {
    Append(bytes, static_cast<std::uint32_t>(number));
  }
  Append(bytes, std::uint64_t{config_.sliding_window});
  Append(bytes, std::uint64_t{length});
  CHECK(kernels_.size() <= kKernelsBytes && bytes.size() == kLengthAt + 8);
  for (const char c : kernels_) {
    bytes.push_back(static_cast<std::byte>(c));
  }
  bytes.resize(kHeadBytes);
  return bytes;
}

std::vector<std::byte> SequenceBytes::Write(const SequenceState& sequence) const {
  const std::size_t page_bytes = pages_.shape().PageBytes();
  std::vector<std::byte> bytes = Head(sequence.length);
  bytes.resize(kFirstPagesAt);
  const std::size_t behind = PagesFor(sequence.length);
  std::vector<std::size_t> firsts;
  std::size_t pages = 0;
  for (std::size_t layer = 0; layer < config_.layers; ++layer) {
    const bool slides = config_.sliding[layer];
    std::size_t first = 0;
    if (slides) {
      const std::size_t start = WindowStart(sequence.length, config_.sliding_window + kRewindMax);
      first = std::max(start / kPagePositions, sequence.layers[layer].first_page());
    }
    first = std::min(first, behind);
    Append(bytes, std::uint64_t{first} | (slides ? kSlides : 0));
    firsts.push_back(first);
    pages += behind - first;
  }
  bytes.reserve(bytes.size() + pages * page_bytes);
  for (std::size_t layer = 0; layer < config_.layers; ++layer) {
    for (std::size_t page = firsts[layer]; page < behind; ++page) {
      const std::byte* from = sequence.layers[layer].PageOf(page * kPagePositions);
      bytes.insert(bytes.end(), from, from + page_bytes);
    }
    if (sequence.length % kPagePositions != 0) {
      ClearFrom(pages_.shape(), sequence.length % kPagePositions,
                bytes.data() + bytes.size() - page_bytes);
    }
  }
  Seal(bytes);
  return bytes;
}

Result<std::size_t> SequenceBytes::PagesIn(std::span<const std::byte> bytes) const {
  const std::size_t pages_at = kFirstPagesAt + 8 * config_.layers;
  if (bytes.size() < pages_at || TextOf(bytes.first(kMark.size())) != kMark) {
    return Unusable("they are too short or not ours");
  }
  const std::uint64_t length = WordAt(bytes, kLengthAt);
  if (!std::ranges::equal(Head(length), bytes.first(kHeadBytes))) {
    return Unusable("they come from another model, version, precision or kernels");
  }
  if (length > config_.context_max) {
    return Unusable("they are longer than the model's context");
  }
  const std::size_t behind = PagesFor(length);
  std::size_t pages = 0;
  for (std::size_t layer = 0; layer < config_.layers; ++layer) {
    const std::uint64_t word = WordAt(bytes, kFirstPagesAt + 8 * layer);
    const bool slides = config_.sliding[layer];
    const std::size_t needed = WindowStart(length, config_.sliding_window) / kPagePositions;
    const std::size_t last = slides ? std::min(needed, behind) : 0;
    if (((word & kSlides) != 0) != slides || (word & ~kSlides) > last) {
      return Unusable("layer " + std::to_string(layer) + " lacks keys");
    }
    pages += behind - (word & ~kSlides);
  }
  if (bytes.size() - pages_at != pages * pages_.shape().PageBytes()) {
    return Unusable("their size is not what their length needs");
  }
  return pages;
}

std::vector<SequenceBytes::Layer> SequenceBytes::Layers(std::span<const std::byte> bytes) const {
  const std::size_t behind = PagesFor(WordAt(bytes, kLengthAt));
  std::vector<Layer> layers;
  std::size_t at = kFirstPagesAt + 8 * config_.layers;
  for (std::size_t layer = 0; layer < config_.layers; ++layer) {
    const std::size_t first = WordAt(bytes, kFirstPagesAt + 8 * layer) & ~kSlides;
    const std::size_t size = (behind - first) * pages_.shape().PageBytes();
    layers.push_back({first, bytes.subspan(at, size)});
    at += size;
  }
  return layers;
}

std::string SequenceBytes::Digest(std::span<const std::byte> bytes) const {
  const std::vector<Layer> layers = Layers(bytes);
  std::vector<std::string> digests(layers.size());
  threads_.ParallelFor(layers.size(), [&](std::size_t layer, std::size_t) {
    digests[layer] = Blake2bHex(TextOf(layers[layer].pages));
  });
  std::string all(TextOf(bytes.first(kHeadBytes)));
  all += TextOf(bytes.subspan(kFirstPagesAt, 8 * config_.layers));
  for (const std::string& digest : digests) {
    all += digest;
  }
  return Blake2bHex(all);
}

void SequenceBytes::Seal(std::span<std::byte> bytes) const {
  const std::string digest = Digest(bytes);
  CHECK(digest.size() == kDigestBytes);
  std::memcpy(bytes.data() + kHeadBytes, digest.data(), digest.size());
}

Result<SequenceState> SequenceBytes::Read(std::span<const std::byte> bytes) const {
  if (TextOf(bytes.subspan(kHeadBytes, kDigestBytes)) != Digest(bytes)) {
    return Unusable("they are damaged");
  }
  const std::size_t page_bytes = pages_.shape().PageBytes();
  const std::vector<Layer> layers = Layers(bytes);
  SequenceState sequence{WordAt(bytes, kLengthAt), std::vector<LayerPages>(layers.size())};
  struct Copy {
    const std::byte* from;
    std::byte* to;
  };
  std::vector<Copy> copies;
  for (std::size_t layer = 0; layer < layers.size(); ++layer) {
    const std::size_t count = layers[layer].pages.size() / page_bytes;
    sequence.layers[layer].Adopt(layers[layer].first_page, count, pages_);
    for (std::size_t page = 0; page < count; ++page) {
      copies.push_back(
          {layers[layer].pages.data() + page * page_bytes,
           sequence.layers[layer].PageOf((layers[layer].first_page + page) * kPagePositions)});
    }
  }
  threads_.ParallelFor(copies.size(), [&](std::size_t i, std::size_t) {
    std::copy_n(copies[i].from, page_bytes, copies[i].to);
  });
  return sequence;
}

}  // namespace safeguard::engine::cpu
