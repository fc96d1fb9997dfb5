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
  const std::uint32_t whole = whole_pieces_ ? RankOf(piece) : kNone;
  if (whole != kNone) {
    out.push_back(whole);
  } else if (piece.size() < kShort) {
    AppendShort(piece, out);
  } else {
    AppendLong(piece, out);
  }
}

// Ranks `part` joined with `next`, which ends at `end`.
void BytePairMerger::Rank(std::string_view piece, Part& part, const Part& next,
                          std::uint32_t end) const {
  if (merges_ == nullptr) {
    part.rank = RankOf(piece.substr(part.begin, end - part.begin));
    return;
  }
  const auto join = merges_->Find(part.id, next.id);
  part.rank = join ? join->order : kNone;
  part.joined = join ? join->id : kNone;
}

std::uint32_t BytePairMerger::IdOf(std::string_view piece, const Part& part,
                                   std::uint32_t end) const {
  return merges_ == nullptr ? RankOf(piece.substr(part.begin, end - part.begin)) : part.id;
}

// One part a byte, each ranked with the next, and a last one that is the end of the piece.
void BytePairMerger::Fill(std::string_view piece) {
  CHECK(piece.size() < kNone);
  const auto size = static_cast<std::uint32_t>(piece.size());
  parts_.clear();
  for (std::uint32_t i = 0; i <= size; ++i) {
    const std::uint32_t id = merges_ != nullptr && i < size
                                 ? merges_->byte_id(static_cast<unsigned char>(piece[i]))
                                 : kNone;
    parts_.push_back({i, id, kNone, kNone, i - 1, i == size ? kNone : i + 1});
  }
  for (std::uint32_t i = 0; i + 2 <= size; ++i) {
    Rank(piece, parts_[i], parts_[i + 1], i + 2);
  }
}

void BytePairMerger::AppendShort(std::string_view piece, std::vector<std::uint32_t>& out) {
  Fill(piece);
  const auto rerank = [&](std::size_t i) {
    if (i + 2 < parts_.size()) {
      Rank(piece, parts_[i], parts_[i + 1], parts_[i + 2].begin);
    } else {
      parts_[i].rank = kNone;
    }
  };
  for (;;) {
    const auto least = std::ranges::min_element(parts_, {}, &Part::rank);
    if (least->rank == kNone) {
      break;
    }
    const auto at = static_cast<std::size_t>(least - parts_.begin());
    parts_[at].id = parts_[at].joined;
    parts_.erase(least + 1);
    rerank(at);
    if (at > 0) {
      rerank(at - 1);
    }
  }
  for (std::size_t i = 0; i + 1 < parts_.size(); ++i) {
    out.push_back(IdOf(piece, parts_[i], parts_[i + 1].begin));
  }
}

void BytePairMerger::Rerank(std::string_view piece, std::uint32_t part) {
  const std::uint32_t next = parts_[part].next;
  parts_[part].rank = kNone;
  if (parts_[next].next == kNone) {
    return;  // `next` is the end of the piece
  }
  Rank(piece, parts_[part], parts_[next], parts_[parts_[next].next].begin);
  if (parts_[part].rank != kNone) {
    heap_.push_back(std::uint64_t{parts_[part].rank} << 32 | part);
    std::ranges::push_heap(heap_, std::greater{});
  }
}

void BytePairMerger::AppendLong(std::string_view piece, std::vector<std::uint32_t>& out) {
  Fill(piece);
  heap_.clear();
  for (std::uint32_t i = 0; i < parts_.size(); ++i) {
    if (parts_[i].rank != kNone) {
      heap_.push_back(std::uint64_t{parts_[i].rank} << 32 | i);
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
    parts_[part].id = parts_[part].joined;
    parts_[part].next = parts_[gone].next;
    parts_[parts_[part].next].previous = part;
    Rerank(piece, part);
    if (part != 0) {
      Rerank(piece, parts_[part].previous);
    }
  }
  for (std::uint32_t i = 0; parts_[i].next != kNone; i = parts_[i].next) {
    out.push_back(IdOf(piece, parts_[i], parts_[parts_[i].next].begin));
  }
}

}  // namespace safeguard::engine
