#include "engine/cpu/kv_pages.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include "base/check.h"
#include "engine/cpu/kernels/bf16_rounding.h"

namespace safeguard::engine::cpu {
namespace {

// Pages of a block: enough for a few huge pages of memory, or the fewest that are worth it.
constexpr std::size_t kBlockBytes = std::size_t{4} << 20;
constexpr std::size_t kBlockPagesMax = 64;

// To nearest, ties to even; saturates.
std::uint16_t HalfOf(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000U);
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  std::uint32_t half = 0;
  if (magnitude >= 0x7F800000U) {
    half = magnitude == 0x7F800000U ? 0x7C00U : 0x7E00U;
  } else if (magnitude >= 0x477FF000U) {  // 65520
    half = 0x7BFFU;
  } else if (magnitude < 0x38800000U) {  // below 2^-14: steps of 2^-24, those of 0.5
    const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
    half = std::bit_cast<std::uint32_t>(shifted) - 0x3F000000U;
  } else {
    half = (magnitude - 0x38000000U + 0xFFFU + ((magnitude >> 13) & 1U)) >> 13;
  }
  return static_cast<std::uint16_t>(sign | half);
}

void Store(KvType type, std::byte* to, std::size_t index, float value) {
  if (type == KvType::kF32) {
    std::memcpy(to + 4 * index, &value, sizeof value);
    return;
  }
  const std::uint16_t half = type == KvType::kF16 ? HalfOf(value) : RoundToBf16(value);
  std::memcpy(to + 2 * index, &half, sizeof half);
}

}  // namespace

// The page last given back first: it may still be in a cache.
PagePool::Page PagePool::NewUnfilled() {
  if (free_.empty()) {
    AddBlock();
  }
  std::byte* bytes = free_.back();
  free_.pop_back();
  ++in_use_;
  return {bytes, [this](std::byte* page) { GiveBack(page); }};
}

PagePool::Page PagePool::New() {
  Page page = NewUnfilled();
  std::fill_n(page.get(), shape_.PageBytes(), std::byte{0});
  return page;
}

void PagePool::AddBlock() {
  const std::size_t size = RoundUp(shape_.PageBytes(), 64);
  const std::size_t pages = std::clamp<std::size_t>(kBlockBytes / size, 1, kBlockPagesMax);
  blocks_.push_back(NewLargeMemory(pages * size));
  for (std::size_t page = pages; page > 0; --page) {
    free_.push_back(blocks_.back().get() + (page - 1) * size);
  }
}

void PagePool::GiveBack(std::byte* page) {
  free_.push_back(page);
  if (--in_use_ == 0) {
    free_.clear();
    blocks_.clear();
  }
}

PagePool::Page PagePool::Copy(const Page& page) {
  Page copy = NewUnfilled();
  std::copy_n(page.get(), shape_.PageBytes(), copy.get());
  return copy;
}

std::size_t LayerPages::PagesNeeded(std::size_t length, std::size_t added) const {
  const bool shared =
      length % kPagePositions != 0 && !pages_.empty() && pages_.back().use_count() > 1;
  return PagesFor(length + added) - PagesFor(length) + (shared ? 1 : 0);
}

void LayerPages::Extend(std::size_t length, std::size_t added, PagePool& pool) {
  if (length % kPagePositions != 0) {
    CHECK(!pages_.empty());
    if (pages_.back().use_count() > 1) {
      pages_.back() = pool.Copy(pages_.back());
    }
  }
  if (pages_.empty()) {
    first_page_ = length / kPagePositions;
  }
  while (first_page_ + pages_.size() < PagesFor(length + added)) {
    pages_.push_back(pool.New());
  }
}

void LayerPages::DropBefore(std::size_t position) {
  const std::size_t keep = position / kPagePositions;
  if (keep > first_page_) {
    const std::size_t drop = std::min(keep - first_page_, pages_.size());
    pages_.erase(pages_.begin(), pages_.begin() + static_cast<std::ptrdiff_t>(drop));
    first_page_ += drop;
  }
}

void LayerPages::DropBehind(std::size_t length) {
  const std::size_t keep = std::max(PagesFor(length), first_page_) - first_page_;
  pages_.resize(std::min(keep, pages_.size()));
}

void LayerPages::Adopt(std::size_t first_page, std::size_t pages, PagePool& pool) {
  CHECK(pages_.empty());
  first_page_ = first_page;
  for (std::size_t i = 0; i < pages; ++i) {
    pages_.push_back(pool.NewUnfilled());
  }
}

std::byte* LayerPages::PageOf(std::size_t position) const {
  const std::size_t page = position / kPagePositions;
  CHECK(page >= first_page_ && page - first_page_ < pages_.size());
  return pages_[page - first_page_].get();
}

void WriteKeyValue(const KvShape& shape, std::byte* page, std::size_t head, std::size_t slot,
                   const float* key, const float* value) {
  std::byte* keys = page + head * shape.HeadBytes();
  std::byte* values = keys + KvKeyBytes(shape.head_dim, shape.type);
  const std::size_t padded = RoundUp(shape.head_dim, kHeadQuantum);
  for (std::size_t d = 0; d < shape.head_dim; ++d) {
    Store(shape.type, keys, KvKeyIndex(shape.type, d, slot), key[d]);
    Store(shape.type, values, KvValueIndex(shape.type, padded, slot, d), value[d]);
  }
}

}  // namespace safeguard::engine::cpu
