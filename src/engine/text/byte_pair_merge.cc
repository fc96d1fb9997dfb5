#include "engine/text/byte_pair_merge.h"

#include <algorithm>
#include <functional>

#include "base/check.h"

namespace safeguard::engine {
namespace {

constexpr std::uint32_t kNone = 0xFFFFFFFFU;
constexpr std::size_t kShort = 100;

}  // namespace

std::uint32_t BytePairMerger::RankOf(std::string_view bytes) const {
  if (bytes.size() > ranks_.longest()) {
    return kNone;
  }
  return ranks_.Find(bytes).value_or(kNone);
}

void BytePairMerger::Append(std::string_view piece, std::vector<std::uint32_t>& out) {
  if (piece.empty()) {
    return;
  }
  if (const std::uint32_t whole = RankOf(piece); whole != kNone) {
    out.push_back(whole);
  } else if (piece.size() < kShort) {
    AppendShort(piece, out);
  } else {
    AppendLong(piece, out);
  }
}

void BytePairMerger::AppendShort(std::string_view piece, std::vector<std::uint32_t>& out) {
  parts_.clear();
  const auto size = static_cast<std::uint32_t>(piece.size());
  for (std::uint32_t i = 0; i <= size; ++i) {
    parts_.push_back({i, i + 2 <= size ? RankOf(piece.substr(i, 2)) : kNone, 0, 0});
  }
  // The last part is the end of the piece.
  const auto joined_rank = [&](std::size_t i) {
    return i + 2 < parts_.size()
               ? RankOf(piece.substr(parts_[i].begin, parts_[i + 2].begin - parts_[i].begin))
               : kNone;
  };
  for (;;) {
    const auto least = std::ranges::min_element(parts_, {}, &Part::rank);
    if (least->rank == kNone) {
      break;
    }
    const auto at = static_cast<std::size_t>(least - parts_.begin());
    parts_.erase(least + 1);
    parts_[at].rank = joined_rank(at);
    if (at > 0) {
      parts_[at - 1].rank = joined_rank(at - 1);
    }
  }
  for (std::size_t i = 0; i + 1 < parts_.size(); ++i) {
    out.push_back(RankOf(piece.substr(parts_[i].begin, parts_[i + 1].begin - parts_[i].begin)));
  }
}

void BytePairMerger::Rerank(std::string_view piece, std::uint32_t part) {
  const std::uint32_t next = parts_[part].next;
  parts_[part].rank = kNone;
  if (parts_[next].next == kNone) {
    return;  // `next` is the end of the piece
  }
  const std::uint32_t end = parts_[parts_[next].next].begin;
  const std::uint32_t rank = RankOf(piece.substr(parts_[part].begin, end - parts_[part].begin));
  parts_[part].rank = rank;
  if (rank != kNone) {
    heap_.push_back(std::uint64_t{rank} << 32 | part);
    std::ranges::push_heap(heap_, std::greater{});
  }
}

void BytePairMerger::AppendLong(std::string_view piece, std::vector<std::uint32_t>& out) {
  CHECK(piece.size() < kNone);
  const auto size = static_cast<std::uint32_t>(piece.size());
  parts_.clear();
  heap_.clear();
  for (std::uint32_t i = 0; i <= size; ++i) {
    const std::uint32_t rank = i + 2 <= size ? RankOf(piece.substr(i, 2)) : kNone;
    parts_.push_back({i, rank, i - 1, i == size ? kNone : i + 1});
    if (rank != kNone) {
      heap_.push_back(std::uint64_t{rank} << 32 | i);
    }
  }
  std::ranges::make_heap(heap_, std::greater{});
  while (!heap_.empty()) {
    std::ranges::pop_heap(heap_, std::greater{});
    const auto part = static_cast<std::uint32_t>(heap_.back());
    const auto rank = static_cast<std::uint32_t>(heap_.back() >> 32);
    heap_.pop_back();
    if (parts_[part].rank != rank) {
      continue;  // joined or reranked since
    }
    const std::uint32_t gone = parts_[part].next;
    parts_[gone].rank = kNone;
    parts_[part].next = parts_[gone].next;
    parts_[parts_[part].next].previous = part;
    Rerank(piece, part);
    if (part != 0) {
      Rerank(piece, parts_[part].previous);
    }
  }
  for (std::uint32_t i = 0; parts_[i].next != kNone; i = parts_[i].next) {
    out.push_back(RankOf(piece.substr(i, parts_[i].next - i)));
  }
}

}  // namespace safeguard::engine
