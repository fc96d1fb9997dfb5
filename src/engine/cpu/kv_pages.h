// Keys and values of one layer and 64 positions: pages, shared by reference between sequences and
// copied when one of several owners writes.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "engine/cpu/kernels/kernel_table.h"
#include "engine/cpu/large_memory.h"

namespace safeguard::engine::cpu {

constexpr std::size_t PagesFor(std::size_t positions) {
  return (positions + kPagePositions - 1) / kPagePositions;
}

struct KvShape {
  std::size_t kv_heads = 0;
  std::size_t head_dim = 0;
  KvType type = KvType::kF32;

  [[nodiscard]] std::size_t HeadBytes() const { return KvHeadBytes(head_dim, type); }
  [[nodiscard]] std::size_t PageBytes() const { return kv_heads * HeadBytes(); }
};

// Pages of one shape, and how many are in use. They are cut from blocks of several megabytes; a
// page that is given back is handed out again, and the blocks are freed when no page is in use.
// Used by one thread; outlives its pages.
class PagePool {
 public:
  explicit PagePool(const KvShape& shape) : shape_(shape) {}
  PagePool(const PagePool&) = delete;
  PagePool& operator=(const PagePool&) = delete;

  using Page = std::shared_ptr<std::byte>;
  // All zero.
  Page New();
  // What was there before, to be written over.
  Page NewUnfilled();
  Page Copy(const Page& page);

  [[nodiscard]] std::size_t in_use() const { return in_use_; }
  [[nodiscard]] std::size_t Bytes() const { return in_use_ * shape_.PageBytes(); }
  [[nodiscard]] const KvShape& shape() const { return shape_; }

 private:
  void AddBlock();
  void GiveBack(std::byte* page);

  KvShape shape_;
  std::vector<LargeMemory> blocks_;
  std::vector<std::byte*> free_;
  std::size_t in_use_ = 0;
};

// One layer of one sequence. Page i holds positions [(first_page() + i) * kPagePositions, ...).
// Copies share the pages.
class LayerPages {
 public:
  // Pages that Extend(length, added) will take from the pool.
  [[nodiscard]] std::size_t PagesNeeded(std::size_t length, std::size_t added) const;
  // Makes positions [length, length + added) writable: owned by this sequence alone.
  // REQUIRES: `length` positions were written.
  void Extend(std::size_t length, std::size_t added, PagePool& pool);
  // Forgets pages that hold nothing at or behind `position`.
  void DropBefore(std::size_t position);
  // Forgets pages that hold nothing before `length`. What a kept page holds at or behind `length`
  // stays there, unseen, until it is written over.
  void DropBehind(std::size_t length);
  // Takes `pages` unfilled ones, the first of which is page `first_page`. REQUIRES: count() == 0.
  void Adopt(std::size_t first_page, std::size_t pages, PagePool& pool);

  [[nodiscard]] std::size_t first_page() const { return first_page_; }
  [[nodiscard]] std::size_t count() const { return pages_.size(); }
  [[nodiscard]] bool Holds(std::size_t page) const {
    return page >= first_page_ && page - first_page_ < pages_.size();
  }
  // The page that holds `position`. REQUIRES: it is kept.
  [[nodiscard]] std::byte* PageOf(std::size_t position) const;

 private:
  std::size_t first_page_ = 0;
  std::vector<PagePool::Page> pages_;
};

// Writes one head's key and value (head_dim floats each) at `slot` of a page. kF16 rounds to
// nearest, ties to even; finite numbers of 65520 and more become the largest, 65504. kBf16 rounds
// likewise, and subnormals to zero.
void WriteKeyValue(const KvShape& shape, std::byte* page, std::size_t head, std::size_t slot,
                   const float* key, const float* value);

}  // namespace safeguard::engine::cpu
