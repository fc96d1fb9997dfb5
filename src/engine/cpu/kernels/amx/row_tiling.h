// How rows are cut into tiles of two by two sums. In an unnamed namespace: for amx.cc.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/cpu/kernels/amx/tile_memory.h"
#include "engine/tiles/tiles.h"

namespace safeguard::engine::cpu {
namespace {  // NOLINT(google-build-namespaces): see above

// Rows [begin, begin + rows) of a task as tiles of equal height, at most kTileRows. The last one
// begins where it ends with the last row: rows that it shares with the one before are computed
// twice, to the same bits.
class RowTiling {
 public:
  RowTiling(std::size_t begin, std::size_t rows)
      : begin_(begin),
        rows_(rows),
        tiles_((rows + kTileRows - 1) / kTileRows),
        height_((rows + tiles_ - 1) / tiles_) {}

  [[nodiscard]] std::size_t tiles() const { return tiles_; }
  [[nodiscard]] std::size_t height() const { return height_; }
  [[nodiscard]] std::size_t Begin(std::size_t tile) const {
    return begin_ + Least(tile * height_, rows_ - height_);
  }

  // Tiles 0 and 1: sums of the first rows; 2 and 3: of the second; 4 and 5: the rows; 6 and 7:
  // weights of the first and second 16 outputs.
  void Configure() const {
    TileConfig config;
    for (std::size_t tile = 0; tile < 8; ++tile) {
      config.rows[tile] = static_cast<std::uint8_t>(tile >= 6 ? kTileRows : height_);
      config.row_bytes[tile] = kTileStride;
    }
    TileConfigure(config);
  }

 private:
  std::size_t begin_;
  std::size_t rows_;
  std::size_t tiles_;
  std::size_t height_;
};

}  // namespace
}  // namespace safeguard::engine::cpu
