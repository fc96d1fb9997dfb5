// Runs a layer's attention on all threads. Sequences that share pages (forks of one policy's
// prefix) are taken together, so that a shared page is read once for all of their rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "engine/cpu/aligned_floats.h"
#include "engine/cpu/kernels/kernel_table.h"
#include "engine/cpu/kv_pages.h"

namespace safeguard::engine::cpu {

// Consecutive new tokens of one sequence: rows [first_row, first_row + count) of the batch.
struct Segment {
  std::span<LayerPages> layers;  // extended for the new positions
  std::size_t first_position = 0;
  std::size_t first_row = 0;
  std::size_t count = 0;
};

// One layer over rows of the batch.
struct AttentionLayer {
  std::size_t layer = 0;
  std::size_t window = 0;  // the largest number: no window
  const float* sinks = nullptr;
  const float* query = nullptr;  // by row: heads * head_dim; already scaled
  float* context = nullptr;      // by row: heads * head_dim
  std::size_t context_stride = 0;
};

class AttentionRunner {
 public:
  AttentionRunner(std::size_t heads, const KvShape& kv, const KernelTable& kernels,
                  ThreadPool& pool);

  // Puts segments that share pages of `layer` side by side for the runs to come.
  void Order(std::span<const Segment> segments, std::size_t layer);
  // REQUIRES: Order saw these segments.
  void Run(std::span<const Segment> segments, const AttentionLayer& layer);

 private:
  // Tokens [begin, end) of a segment.
  struct Slice {
    std::size_t segment;
    std::size_t begin;
    std::size_t end;
  };
  // Slices [begin, end) with one key/value head.
  struct Piece {
    std::size_t begin;
    std::size_t end;
    std::size_t kv_head;
  };
  struct Scratch {
    std::vector<AttentionRow> rows;
    std::vector<PageVisit> visits;
    AlignedFloats floats;
  };

  void Cut(std::span<const Segment> segments, const AttentionLayer& layer);
  void RunPiece(std::span<const Segment> segments, const AttentionLayer& layer, const Piece& piece,
                Scratch& scratch) const;
  void AddVisits(std::span<const Segment> segments, const AttentionLayer& layer, const Piece& piece,
                 std::vector<PageVisit>& visits) const;

  std::size_t heads_;
  std::size_t group_;
  KvShape kv_;
  const KernelTable& kernels_;
  ThreadPool& pool_;
  std::vector<std::size_t> order_;  // of the segments
  std::vector<Slice> slices_;
  std::vector<Piece> pieces_;
  std::vector<Scratch> scratch_;  // by worker
};

}  // namespace safeguard::engine::cpu
