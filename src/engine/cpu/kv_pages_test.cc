#include "engine/cpu/kv_pages.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace safeguard::engine::cpu {
namespace {

constexpr KvShape kShape = {2, 6, KvType::kF32};

TEST(LayerPages, GrowsByWholePages) {
  PagePool pool(kShape);
  LayerPages pages;
  EXPECT_EQ(pages.PagesNeeded(0, 65), 2U);
  pages.Extend(0, 65, pool);
  EXPECT_EQ(pages.count(), 2U);
  EXPECT_EQ(pages.PagesNeeded(65, 63), 0U);
  pages.Extend(65, 64, pool);
  EXPECT_EQ(pool.in_use(), 3U);
  EXPECT_EQ(pool.Bytes(), 3 * kShape.PageBytes());
}

TEST(LayerPages, ACopySharesUntilOneWrites) {
  PagePool pool(kShape);
  LayerPages pages;
  pages.Extend(0, 100, pool);
  pages.PageOf(99)[7] = std::byte{42};
  LayerPages fork = pages;
  EXPECT_EQ(pool.in_use(), 2U);
  EXPECT_EQ(fork.PagesNeeded(100, 1), 1U);
  fork.Extend(100, 1, pool);
  EXPECT_EQ(pool.in_use(), 3U);
  EXPECT_EQ(fork.PageOf(0), pages.PageOf(0));
  EXPECT_NE(fork.PageOf(99), pages.PageOf(99));
  EXPECT_EQ(fork.PageOf(99)[7], std::byte{42});
  EXPECT_EQ(pages.PagesNeeded(100, 1), 0U);
  fork = LayerPages();
  EXPECT_EQ(pool.in_use(), 2U);
}

TEST(LayerPages, AFullPageIsNeverCopied) {
  PagePool pool(kShape);
  LayerPages pages;
  pages.Extend(0, 64, pool);
  LayerPages fork = pages;
  fork.Extend(64, 1, pool);
  EXPECT_EQ(pool.in_use(), 2U);
  EXPECT_EQ(fork.PageOf(63), pages.PageOf(63));
}

TEST(LayerPages, DropsWhatTheWindowHasLeft) {
  PagePool pool(kShape);
  LayerPages pages;
  pages.Extend(0, 300, pool);
  pages.DropBefore(127);
  EXPECT_EQ(pages.first_page(), 1U);
  pages.DropBefore(128);
  EXPECT_EQ(pages.first_page(), 2U);
  EXPECT_EQ(pool.in_use(), 3U);
  pages.DropBefore(320);
  EXPECT_EQ(pool.in_use(), 0U);
  pages.Extend(320, 1, pool);
  EXPECT_EQ(pages.first_page(), 5U);
}

TEST(WriteKeyValue, PutsKeysInColumnsAndRoundsToNearestEven) {
  const KvShape shape = {1, 2, KvType::kBF16};
  std::vector<std::byte> page(shape.PageBytes());
  const float key[] = {1.00390625F, 1.01171875F};  // halfway: to even, down and up
  const float value[] = {std::numeric_limits<float>::quiet_NaN(), -3.0F};
  WriteKeyValue(shape, page.data(), 0, 5, key, value);
  const auto at = [&](std::size_t index) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, page.data() + 2 * index, 2);
    return bits;
  };
  EXPECT_EQ(at(5), 0x3F80);
  EXPECT_EQ(at(64 + 5), 0x3F82);
  EXPECT_EQ(at(128 + 5 * 16 + 1), 0xC040);
  EXPECT_GT(at(128 + 5 * 16) & 0x7FFF, 0x7F80);
}

}  // namespace
}  // namespace safeguard::engine::cpu
