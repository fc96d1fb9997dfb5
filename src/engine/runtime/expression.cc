#include "engine/runtime/expression.h"

#include <algorithm>

#include "base/check.h"

namespace safeguard::engine {
namespace {

std::uint64_t Mix(std::uint64_t hash, std::uint64_t value) {
  hash = (hash ^ value) * 0x9E3779B97F4A7C15U;
  return hash ^ (hash >> 29);
}

}  // namespace

ExpressionArena::ExpressionArena(std::size_t nodes_max) : nodes_max_(nodes_max) {
  nodes_.push_back({.kind = Kind::kVoid});
  nodes_.push_back({.kind = Kind::kEmptyText, .matches_empty = true});
}

std::span<const ExpressionId> ExpressionArena::List(const Node& node) const {
  return std::span(lists_).subspan(node.a, node.b - node.a);
}

bool ExpressionArena::Same(const Node& old, const Node& node,
                           std::span<const ExpressionId> list) const {
  if (old.kind != node.kind) {
    return false;
  }
  if (node.kind == Kind::kAlternatives) {
    return std::ranges::equal(List(old), list);
  }
  return old.a == node.a && old.b == node.b && old.c == node.c;
}

ExpressionId ExpressionArena::Intern(const Node& node, std::span<const ExpressionId> list) {
  std::uint64_t hash = Mix(0, static_cast<std::uint64_t>(node.kind));
  if (node.kind == Kind::kAlternatives) {
    for (const ExpressionId part : list) {
      hash = Mix(hash, part);
    }
  } else {
    hash = Mix(Mix(Mix(hash, node.a), node.b), node.c);
  }
  const auto [begin, end] = by_hash_.equal_range(hash);
  for (auto it = begin; it != end; ++it) {
    if (Same(nodes_[it->second], node, list)) {
      return it->second;
    }
  }
  // Lists are part of the room: one node may have thousands of alternatives.
  if (nodes_.size() + lists_.size() / 4 >= nodes_max_) {
    over_limit_ = true;
    return kNothing;
  }
  const auto id = static_cast<ExpressionId>(nodes_.size());
  nodes_.push_back(node);
  if (node.kind == Kind::kAlternatives) {
    nodes_.back().a = static_cast<std::uint32_t>(lists_.size());
    lists_.insert(lists_.end(), list.begin(), list.end());
    nodes_.back().b = static_cast<std::uint32_t>(lists_.size());
  }
  by_hash_.emplace(hash, id);
  return id;
}

ExpressionId ExpressionArena::Bytes(const ByteSet& set) {
  if (set.none()) {
    return kNothing;
  }
  const auto [it, added] = set_ids_.emplace(set, static_cast<std::uint32_t>(sets_.size()));
  if (added) {
    sets_.push_back(set);
  }
  return Intern({.kind = Kind::kBytes, .a = it->second});
}

ExpressionId ExpressionArena::ByteRange(unsigned first, unsigned last) {
  CHECK(first <= last && last < 256);
  ByteSet set;
  for (unsigned byte = first; byte <= last; ++byte) {
    set.set(byte);
  }
  return Bytes(set);
}

ExpressionId ExpressionArena::Literal(std::string_view bytes) {
  ExpressionId rest = kEmpty;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    const unsigned byte = static_cast<unsigned char>(bytes[i]);
    rest = Concat(ByteRange(byte, byte), rest);
  }
  return rest;
}

ExpressionId ExpressionArena::Concat(ExpressionId first, ExpressionId rest) {
  if (first == kNothing || rest == kNothing) {
    return kNothing;
  }
  if (first == kEmpty) {
    return rest;
  }
  if (rest == kEmpty) {
    return first;
  }
  // Always (a (b (c d))): equal texts must be equal nodes. The walk is along the first part.
  std::vector<ExpressionId> parts;
  while (nodes_[first].kind == Kind::kConcat) {
    parts.push_back(nodes_[first].a);
    first = nodes_[first].b;
  }
  parts.push_back(first);
  for (std::size_t i = parts.size(); i-- > 0;) {
    const Node& a = nodes_[parts[i]];
    const Node& b = nodes_[rest];
    rest = Intern({.kind = Kind::kConcat,
                   .matches_empty = a.matches_empty && b.matches_empty,
                   .may_be_void = a.may_be_void || b.may_be_void,
                   .a = parts[i],
                   .b = rest});
    if (rest == kNothing) {
      return kNothing;
    }
  }
  return rest;
}

ExpressionId ExpressionArena::Concat(std::span<const ExpressionId> parts) {
  ExpressionId rest = kEmpty;
  for (std::size_t i = parts.size(); i-- > 0;) {
    rest = Concat(parts[i], rest);
  }
  return rest;
}

void ExpressionArena::AddPart(ExpressionId part, ByteSet& bytes, std::vector<ExpressionId>& flat) {
  const Node& node = nodes_[part];
  if (node.kind == Kind::kAlternatives) {
    for (const ExpressionId inner : List(node)) {
      AddPart(inner, bytes, flat);  // lists are flat: one level deep
    }
  } else if (node.kind == Kind::kBytes) {
    bytes |= sets_[node.a];
  } else if (part != kNothing) {
    flat.push_back(part);
  }
}

ExpressionId ExpressionArena::Alternatives(const std::vector<ExpressionId>& parts) {
  ByteSet bytes;
  std::vector<ExpressionId> flat;
  for (const ExpressionId part : parts) {
    AddPart(part, bytes, flat);
  }
  if (bytes.any()) {
    flat.push_back(Bytes(bytes));
  }
  std::ranges::sort(flat);
  const auto repeated = std::ranges::unique(flat);
  flat.erase(repeated.begin(), repeated.end());
  // An empty text beside a part that already matches it says nothing.
  bool others_match_empty = false;
  bool may_be_void = true;
  for (const ExpressionId part : flat) {
    others_match_empty = others_match_empty || (part != kEmpty && nodes_[part].matches_empty);
    may_be_void = may_be_void && nodes_[part].may_be_void;
  }
  if (others_match_empty) {
    std::erase(flat, kEmpty);
  }
  if (flat.empty()) {
    return kNothing;
  }
  if (flat.size() == 1) {
    return flat.front();
  }
  const bool matches_empty = others_match_empty || flat.front() == kEmpty;
  return Intern(
      {.kind = Kind::kAlternatives, .matches_empty = matches_empty, .may_be_void = may_be_void},
      flat);
}

ExpressionId ExpressionArena::Repeat(ExpressionId part, std::uint32_t min, std::uint32_t max) {
  CHECK(min <= max);
  if (max == 0 || part == kEmpty) {
    return kEmpty;
  }
  if (part == kNothing) {
    return min == 0 ? kEmpty : kNothing;
  }
  const Node& node = nodes_[part];
  if (node.matches_empty) {
    min = 0;  // the rest of the repetitions may be empty
  }
  if (min == 1 && max == 1) {
    return part;
  }
  if (node.kind == Kind::kRepeat && node.b == 0 && node.c == kUnbounded) {
    return part;  // (x*){..}
  }
  return Intern({.kind = Kind::kRepeat,
                 .matches_empty = min == 0,
                 .may_be_void = node.may_be_void,
                 .a = part,
                 .b = min,
                 .c = max});
}

ExpressionId ExpressionArena::Both(ExpressionId a, ExpressionId b) {
  if (a > b) {
    std::swap(a, b);
  }
  if (a == kNothing || a == b) {
    return a;
  }
  if (a == kEmpty) {
    return nodes_[b].matches_empty ? kEmpty : kNothing;
  }
  if (nodes_[a].kind == Kind::kBytes && nodes_[b].kind == Kind::kBytes) {
    return Bytes(sets_[nodes_[a].a] & sets_[nodes_[b].a]);
  }
  const bool matches_empty = nodes_[a].matches_empty && nodes_[b].matches_empty;
  return Intern(
      {.kind = Kind::kBoth, .matches_empty = matches_empty, .may_be_void = true, .a = a, .b = b});
}

bool ExpressionArena::MatchesEmpty(ExpressionId expression) const {
  return nodes_[expression].matches_empty;
}

bool ExpressionArena::MayBeVoid(ExpressionId expression) const {
  return nodes_[expression].may_be_void;
}

ExpressionId ExpressionArena::Derivative(ExpressionId expression, unsigned char byte) {
  work_ = 0;
  return Derive(expression, byte);
}

ExpressionId ExpressionArena::Derive(ExpressionId expression, unsigned char byte) {
  if (over_limit_ || ++work_ > kDerivativeWorkMax) {
    over_limit_ = true;
    return kNothing;
  }
  const Node node = nodes_[expression];  // a copy: nodes_ grows below
  switch (node.kind) {
    case Kind::kVoid:
    case Kind::kEmptyText:
      return kNothing;
    case Kind::kBytes:
      return sets_[node.a].test(byte) ? kEmpty : kNothing;
    case Kind::kConcat: {
      const ExpressionId first = Concat(Derive(node.a, byte), node.b);
      if (!nodes_[node.a].matches_empty) {
        return first;
      }
      return Alternatives({first, Derive(node.b, byte)});
    }
    case Kind::kAlternatives: {
      std::vector<ExpressionId> parts;
      for (std::uint32_t i = node.a; i < node.b; ++i) {
        parts.push_back(Derive(lists_[i], byte));
      }
      return Alternatives(std::move(parts));
    }
    case Kind::kRepeat: {
      const ExpressionId first = Derive(node.a, byte);
      if (first == kNothing) {
        return kNothing;
      }
      const std::uint32_t max = node.c == kUnbounded ? kUnbounded : node.c - 1;
      return Concat(first, Repeat(node.a, node.b == 0 ? 0 : node.b - 1, max));
    }
    case Kind::kBoth:
      return Both(Derive(node.a, byte), Derive(node.b, byte));
  }
  CHECK(false);
}

}  // namespace safeguard::engine
