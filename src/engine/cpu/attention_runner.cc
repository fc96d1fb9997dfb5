#include "engine/cpu/attention_runner.h"

#include <algorithm>
#include <functional>
#include <numeric>

namespace safeguard::engine::cpu {
namespace {

// Rows of a piece: enough for a page to be worth its way from memory, few enough that their sums
// stay in the L2 cache.
constexpr std::size_t kPieceRowsMax = 144;

std::size_t FirstPage(const Segment& segment, std::size_t token, std::size_t window) {
  const std::size_t position = segment.first_position + token;
  return (position + 1 < window ? 0 : position + 1 - window) / kPagePositions;
}

}  // namespace

AttentionRunner::AttentionRunner(std::size_t heads, const KvShape& kv, const KernelTable& kernels,
                                 ThreadPool& pool)
    : heads_(heads),
      group_(heads / kv.kv_heads),
      kv_(kv),
      kernels_(kernels),
      pool_(pool),
      scratch_(pool.size()) {}

// By their pages' addresses: a common beginning puts segments next to one another.
void AttentionRunner::Order(std::span<const Segment> segments, std::size_t layer) {
  order_.resize(segments.size());
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  const auto before = [&](std::size_t a, std::size_t b) {
    const LayerPages& left = segments[a].layers[layer];
    const LayerPages& right = segments[b].layers[layer];
    if (left.first_page() != right.first_page()) {
      return left.first_page() < right.first_page();
    }
    const std::size_t first = left.first_page();
    for (std::size_t page = first; left.Holds(page) && right.Holds(page); ++page) {
      const std::byte* l = left.PageOf(page * kPagePositions);
      const std::byte* r = right.PageOf(page * kPagePositions);
      if (l != r) {
        return std::less<>()(l, r);
      }
    }
    return left.count() != right.count() ? left.count() < right.count() : a < b;
  };
  std::ranges::sort(order_, before);
}

// A segment joins the piece before it where they share the first page that both see.
void AttentionRunner::Cut(std::span<const Segment> segments, const AttentionLayer& layer) {
  const std::size_t tokens_max = std::max<std::size_t>(1, kPieceRowsMax / group_);
  slices_.clear();
  pieces_.clear();
  std::size_t begin = 0;
  std::size_t tokens = 0;
  const auto close = [&] {
    for (std::size_t head = 0; head < kv_.kv_heads && begin < slices_.size(); ++head) {
      pieces_.push_back({begin, slices_.size(), head});
    }
    begin = slices_.size();
    tokens = 0;
  };
  for (std::size_t i = 0; i < order_.size(); ++i) {
    const Segment& segment = segments[order_[i]];
    const LayerPages& pages = segment.layers[layer.layer];
    bool shares = false;
    if (i > 0) {
      const Segment& last = segments[order_[i - 1]];
      const LayerPages& others = last.layers[layer.layer];
      const std::size_t page =
          std::max(FirstPage(segment, 0, layer.window), FirstPage(last, 0, layer.window));
      shares = pages.Holds(page) && others.Holds(page) &&
               pages.PageOf(page * kPagePositions) == others.PageOf(page * kPagePositions);
    }
    if (!shares) {
      close();
    }
    for (std::size_t at = 0; at < segment.count;) {
      const std::size_t count = std::min(segment.count - at, tokens_max - tokens);
      slices_.push_back({order_[i], at, at + count});
      at += count;
      tokens += count;
      if (tokens == tokens_max) {
        close();
      }
    }
  }
  close();
}

void AttentionRunner::Run(std::span<const Segment> segments, const AttentionLayer& layer) {
  Cut(segments, layer);
  pool_.ParallelFor(pieces_.size(), [&](std::size_t i, std::size_t worker) {
    RunPiece(segments, layer, pieces_[i], scratch_[worker]);
  });
}

// Page by page, the runs of neighbours that see the same one.
void AttentionRunner::AddVisits(std::span<const Segment> segments, const AttentionLayer& layer,
                                const Piece& piece, std::vector<PageVisit>& visits) const {
  const std::size_t offset = piece.kv_head * kv_.HeadBytes();
  std::size_t first =
      FirstPage(segments[slices_[piece.begin].segment], slices_[piece.begin].begin, layer.window);
  std::size_t last = 0;
  for (std::size_t s = piece.begin; s < piece.end; ++s) {
    const Segment& segment = segments[slices_[s].segment];
    first = std::min(first, FirstPage(segment, slices_[s].begin, layer.window));
    last = std::max(last, (segment.first_position + slices_[s].end - 1) / kPagePositions);
  }
  visits.clear();
  for (std::size_t page = first; page <= last; ++page) {
    std::size_t row = 0;
    for (std::size_t s = piece.begin; s < piece.end; ++s) {
      const Slice& slice = slices_[s];
      const Segment& segment = segments[slice.segment];
      const std::size_t rows = (slice.end - slice.begin) * group_;
      if (page >= FirstPage(segment, slice.begin, layer.window) &&
          page * kPagePositions < segment.first_position + slice.end) {
        const std::byte* bytes = segment.layers[layer.layer].PageOf(page * kPagePositions) + offset;
        if (!visits.empty() && visits.back().page == bytes &&
            visits.back().first_row + visits.back().rows == row) {
          visits.back().rows += rows;
        } else {
          visits.push_back({bytes, page, row, rows});
        }
      }
      row += rows;
    }
  }
}

void AttentionRunner::RunPiece(std::span<const Segment> segments, const AttentionLayer& layer,
                               const Piece& piece, Scratch& scratch) const {
  const std::size_t dim = kv_.head_dim;
  scratch.rows.clear();
  for (std::size_t s = piece.begin; s < piece.end; ++s) {
    const Segment& segment = segments[slices_[s].segment];
    for (std::size_t token = slices_[s].begin; token < slices_[s].end; ++token) {
      const std::size_t row = segment.first_row + token;
      for (std::size_t head = piece.kv_head * group_; head < (piece.kv_head + 1) * group_; ++head) {
        scratch.rows.push_back({layer.query + (row * heads_ + head) * dim,
                                layer.context + row * layer.context_stride + head * dim,
                                segment.first_position + token, layer.sinks[head]});
      }
    }
  }
  AddVisits(segments, layer, piece, scratch.visits);
  scratch.floats.Reserve(AttentionScratchFloats(scratch.rows.size(), dim));
  kernels_.attention({scratch.rows.data(), scratch.rows.size(), scratch.visits.data(),
                      scratch.visits.size(), dim, layer.window, kv_.type, scratch.floats.data()});
}

}  // namespace safeguard::engine::cpu
