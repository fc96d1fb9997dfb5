// A software model of the AMX tile registers, after the Intel SDM's pseudo-code for TDPBF16PS
// (bf16 products summed in pairs, subnormals taken as zero). Checks what the hardware faults on: a
// tile used before it is configured.
#pragma once

#include <bit>
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
    for (std::size_t r = 0; r < config_.rows[sum]; ++r) {
      for (std::size_t i = 0; i < config_.row_bytes[x] / 4U; ++i) {
        for (std::size_t c = 0; c < config_.row_bytes[sum] / 4U; ++c) {
          float value = 0;
          std::memcpy(&value, Row(sum, r) + 4 * c, sizeof value);
          value += Bf16(Row(x, r) + 4 * i) * Bf16(Row(w, i) + 4 * c);
          value += Bf16(Row(x, r) + 4 * i + 2) * Bf16(Row(w, i) + 4 * c + 2);
          std::memcpy(Row(sum, r) + 4 * c, &value, sizeof value);
        }
      }
    }
  }

 private:
  static std::ptrdiff_t Offset(std::size_t row, std::ptrdiff_t stride) {
    return static_cast<std::ptrdiff_t>(row) * stride;
  }
  static float Bf16(const std::byte* from) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, from, sizeof bits);
    const bool subnormal = (bits & 0x7F80U) == 0;
    return subnormal ? 0.0F : std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
  }
  std::byte* Row(int tile, std::size_t row) {
    CHECK(configured_ && tile < 8 && row < 16);
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
  return false;
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
#define SAFEGUARD_TILE_STORE(tile, to, stride) \
  Tiles().Store(tile, to, static_cast<std::ptrdiff_t>(stride))
#define SAFEGUARD_TILE_DOT(sum, x, w) Tiles().Dot(sum, x, w)
