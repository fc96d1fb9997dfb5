// A software model of the AMX tile registers, after the Intel SDM's pseudo-code for TDPBF16PS and
// TDPBSSD. Checks what the hardware faults on: a tile used before it is configured, or one without
// rows.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/check.h"

namespace safeguard::engine {

struct TileConfig {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {};
  std::uint8_t rows[16] = {};
};
static_assert(sizeof(TileConfig) == 64);

namespace {

class TileModel {
 public:
  void Configure(const TileConfig& config) {
    CHECK(config.palette == 1);
    config_ = config;
    configured_ = true;
  }
  void Release() { configured_ = false; }

  void Zero(int tile) { std::memset(Row(tile, 0), 0, sizeof tiles_[tile]); }
  void Load(int tile, const void* from, std::ptrdiff_t stride) {
    Zero(tile);
    for (std::size_t r = 0; r < config_.rows[tile]; ++r) {
      std::memcpy(Row(tile, r), static_cast<const std::byte*>(from) + Offset(r, stride),
                  config_.row_bytes[tile]);
    }
  }
  void Store(int tile, void* to, std::ptrdiff_t stride) {
    for (std::size_t r = 0; r < config_.rows[tile]; ++r) {
      std::memcpy(static_cast<std::byte*>(to) + Offset(r, stride), Row(tile, r),
                  config_.row_bytes[tile]);
    }
  }
  void Dot(int sum, int x, int w) {
    ForRows<float>(sum, x, w,
                   [](float* sums, const std::uint32_t* a, const Words* b, std::size_t depth) {
                     float even[kWords] = {};
                     float odd[kWords] = {};
                     for (std::size_t i = 0; i < depth; ++i) {
                       for (std::size_t c = 0; c < kWords; ++c) {
                         even[c] = Flush(std::fma(Low(a[i]), Low(b[i].at[c]), even[c]));
                         odd[c] = Flush(std::fma(High(a[i]), High(b[i].at[c]), odd[c]));
                       }
                     }
                     for (std::size_t c = 0; c < kWords; ++c) {
                       sums[c] = Flush(Flush(sums[c]) + Flush(even[c] + odd[c]));
                     }
                   });
  }
  void DotBytes(int sum, int x, int w) {
    ForRows<std::int32_t>(
        sum, x, w,
        [](std::int32_t* sums, const std::uint32_t* a, const Words* b, std::size_t depth) {
          for (std::size_t i = 0; i < depth; ++i) {
            for (std::size_t c = 0; c < kWords; ++c) {
              for (std::uint32_t shift = 0; shift < 32; shift += 8) {
                sums[c] += static_cast<std::int8_t>(a[i] >> shift) *
                           static_cast<std::int8_t>(b[i].at[c] >> shift);
              }
            }
          }
        });
  }

 private:
  static std::ptrdiff_t Offset(std::size_t row, std::ptrdiff_t stride) {
    return static_cast<std::ptrdiff_t>(row) * stride;
  }
  static constexpr std::size_t kWords = 16;  // of a row
  struct Words {
    std::uint32_t at[kWords];
  };

  static float Flush(float x) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    return std::bit_cast<float>((bits & 0x7F800000U) == 0 ? bits & 0x80000000U : bits);
  }
  static float Low(std::uint32_t pair) { return Flush(std::bit_cast<float>(pair << 16)); }
  static float High(std::uint32_t pair) { return Flush(std::bit_cast<float>(pair & 0xFFFF0000U)); }
  // Every row of `sum` from itself, its row of x and all of w; `depth` words of x meet rows of w.
  template <class Number, class Dots>
  void ForRows(int sum, int x, int w, const Dots& dots) {
    const std::size_t depth = config_.row_bytes[x] / 4U;
    CHECK(config_.rows[sum] == config_.rows[x] && config_.rows[w] >= depth &&
          config_.row_bytes[w] == config_.row_bytes[sum]);
    Words columns[16];
    std::memcpy(columns, Row(w, 0), sizeof columns);
    for (std::size_t r = 0; r < config_.rows[sum]; ++r) {
      Words row;
      std::memcpy(row.at, Row(x, r), sizeof row);
      Number sums[kWords];
      std::memcpy(sums, Row(sum, r), sizeof sums);
      dots(sums, row.at, columns, depth);
      std::memcpy(Row(sum, r), sums, config_.row_bytes[sum]);
    }
  }
  std::byte* Row(int tile, std::size_t row) {
    CHECK(configured_ && tile < 8 && row < 16 && config_.rows[tile] > 0);
    return tiles_[tile] + 64 * row;
  }

  bool configured_ = false;
  TileConfig config_;
  std::byte tiles_[8][1024] = {};
};

TileModel& Tiles() {
  static thread_local TileModel tiles;
  return tiles;
}

[[maybe_unused]] bool TilesSupported() {
  return true;
}
[[maybe_unused]] void TileConfigure(const TileConfig& config) {
  Tiles().Configure(config);
}
[[maybe_unused]] void TileRelease() {
  Tiles().Release();
}

}  // namespace
}  // namespace safeguard::engine

#define SAFEGUARD_TILE_ZERO(tile) Tiles().Zero(tile)
#define SAFEGUARD_TILE_LOAD(tile, from, stride) \
  Tiles().Load(tile, from, static_cast<std::ptrdiff_t>(stride))
#define SAFEGUARD_TILE_STREAM(tile, from, stride) SAFEGUARD_TILE_LOAD(tile, from, stride)
#define SAFEGUARD_TILE_STORE(tile, to, stride) \
  Tiles().Store(tile, to, static_cast<std::ptrdiff_t>(stride))
#define SAFEGUARD_TILE_DOT(sum, x, w) Tiles().Dot(sum, x, w)
#define SAFEGUARD_TILE_DOT_BYTES(sum, x, w) Tiles().DotBytes(sum, x, w)
