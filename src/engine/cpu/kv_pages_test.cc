#include "engine/cpu/kv_pages.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "engine/model/dequantize.h"

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

TEST(PagePool, AUsedPageComesBackAsZeros) {
  PagePool pool(kShape);
  LayerPages kept;
  kept.Extend(0, 1, pool);
  for (int round = 0; round < 3; ++round) {
    LayerPages pages;
    pages.Extend(0, 64 * 100, pool);  // more than one block
    for (std::size_t at = 0; at < 6400; at += 64) {
      for (std::size_t i = 0; i < kShape.PageBytes(); ++i) {
        ASSERT_EQ(pages.PageOf(at)[i], std::byte{0});
        pages.PageOf(at)[i] = std::byte{0xFF};
      }
    }
    EXPECT_EQ(pool.in_use(), 101U);
  }
  EXPECT_EQ(pool.in_use(), 1U);
}

TEST(LayerPages, DropsWhatIsBehindALength) {
  PagePool pool(kShape);
  LayerPages pages;
  pages.Extend(0, 300, pool);
  pages.DropBehind(129);
  EXPECT_EQ(pages.count(), 3U);
  EXPECT_TRUE(pages.Holds(2) && !pages.Holds(3));
  pages.DropBehind(128);
  EXPECT_EQ(pool.in_use(), 2U);
  EXPECT_EQ(pages.PagesNeeded(128, 1), 1U);
  pages.DropBehind(0);
  EXPECT_EQ(pool.in_use(), 0U);
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

std::uint16_t Stored(float number) {
  const KvShape shape = {1, 2, KvType::kF16};
  std::vector<std::byte> page(shape.PageBytes());
  const float key[] = {0, number};
  const float value[] = {0, -number};
  WriteKeyValue(shape, page.data(), 0, 5, key, value);
  std::uint16_t in_key = 0;
  std::uint16_t in_value = 0;
  std::memcpy(&in_key, page.data() + std::size_t{2} * (64 + 5), 2);  // a column of 64 keys
  std::memcpy(&in_value, page.data() + std::size_t{2} * (128 + 5 * 16 + 1), 2);
  EXPECT_EQ(in_key ^ in_value, 0x8000) << number;
  return in_key;
}

TEST(WriteKeyValue, EveryHalfComesBack) {
  for (std::uint32_t bits = 0; bits < 0x7C00; ++bits) {
    const float value = Float16Value(static_cast<std::uint16_t>(bits));
    ASSERT_EQ(Stored(value), bits);
    const float next = Float16Value(static_cast<std::uint16_t>(bits + 1));
    if (std::isfinite(next)) {  // halfway: to even
      ASSERT_EQ(Stored(value + (next - value) / 2), bits + bits % 2);
    }
  }
}

TEST(WriteKeyValue, LargeNumbersSaturate) {
  EXPECT_EQ(Stored(65'519.0F), 0x7BFF);
  EXPECT_EQ(Stored(65'520.0F), 0x7BFF);
  EXPECT_EQ(Stored(-3e38F), 0xFBFF);
  EXPECT_EQ(Stored(std::numeric_limits<float>::infinity()), 0x7C00);
  EXPECT_EQ(Stored(std::numeric_limits<float>::quiet_NaN()), 0x7E00);
  EXPECT_EQ(Stored(1e-30F), 0);
}

// Where tiles find them: keys in pairs of components, values in pairs of positions.
TEST(WriteKeyValue, Bfloat16StandsInPairs) {
  const KvShape shape = {2, 3, KvType::kBf16};
  ASSERT_EQ(shape.HeadBytes(), std::size_t{2} * 64 * (32 + 16));
  std::vector<std::byte> page(shape.PageBytes());
  const float key[] = {1, -2, 1 + 1.0F / 256};  // the last one lies halfway: to even
  const float value[] = {3, 1 + 3.0F / 256, 1e-39F};
  WriteKeyValue(shape, page.data(), 1, 5, key, value);
  const auto at = [&](std::size_t number) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, page.data() + shape.HeadBytes() + 2 * number, 2);
    return bits;
  };
  EXPECT_EQ(at(std::size_t{2} * 5), 0x3F80);
  EXPECT_EQ(at(std::size_t{2} * 5 + 1), 0xC000);
  EXPECT_EQ(at(std::size_t{2} * (64 + 5)), 0x3F80);
  EXPECT_EQ(at(std::size_t{2} * (64 + 5) + 1), 0);  // a component that there is not
  const std::size_t values = 64 * 32;
  EXPECT_EQ(at(values + 2 * (2 * 16) + 1), 0x4040);
  EXPECT_EQ(at(values + 2 * (2 * 16 + 1) + 1), 0x3F82);
  EXPECT_EQ(at(values + 2 * (2 * 16 + 2) + 1), 0);  // subnormal
  const auto written = std::ranges::count_if(page, [](std::byte b) { return b != std::byte{0}; });
  EXPECT_EQ(written, 2 + 1 + 2 + 2 + 2);
}

}  // namespace
}  // namespace safeguard::engine::cpu
