#include "engine/runtime/prefix_cache.h"

#include <algorithm>

#include "base/check.h"

namespace safeguard::engine {
namespace {

// Attention makes late tokens dearer: at this position twice as dear as at the beginning.
constexpr double kTwiceAt = 32'768;

std::size_t Agreement(std::span<const std::uint32_t> a, std::span<const std::uint32_t> b) {
  return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

double CostOf(std::size_t begin, std::size_t end) {
  const auto tokens = static_cast<double>(end - begin);
  return tokens * (1 + static_cast<double>(begin + end) / 2 / kTwiceAt);
}

}  // namespace

std::uint64_t HashTokens(std::span<const std::uint32_t> tokens) {
  std::uint64_t hash = 0x2545F4914F6CDD1DU;
  for (const std::uint32_t token : tokens) {
    hash = (hash ^ token) * 0x9E3779B97F4A7C15U;
    hash ^= hash >> 32;
  }
  return hash;
}

PrefixCache::PrefixCache(Forward& forward, std::size_t entries_max)
    : forward_(forward), entries_max_(entries_max) {}

PrefixCache::~PrefixCache() {
  while (EvictOne(Which::kAny)) {
  }
}

void PrefixCache::Use(Node& node) const {
  const Node* before = node.parent;
  while (!before->kept && before->parent != nullptr) {
    before = before->parent;
  }
  const std::size_t from = before->kept ? before->length : 0;
  const std::size_t bytes = forward_.BytesFor(node.length, 0) - forward_.BytesFor(from, 0);
  node.uses += 1;
  node.worth = age_ + node.uses * CostOf(from, node.length) /
                          static_cast<double>(std::max<std::size_t>(bytes, 1));
}

PrefixCache::Found PrefixCache::Find(std::span<const std::uint32_t> prompt,
                                     const std::string& salt) {
  Node* best = nullptr;
  const auto root = roots_.find(salt);
  Node* node = root == roots_.end() ? nullptr : root->second.get();
  while (node != nullptr && node->length < prompt.size()) {
    best = node->kept ? node : best;
    const auto child = node->children.find(prompt[node->length]);
    if (child == node->children.end()) {
      break;
    }
    const Node& next = *child->second;
    const auto rest = prompt.subspan(node->length);
    if (Agreement(next.tokens, rest) < next.tokens.size()) {
      break;
    }
    node = child->second.get();
  }
  if (best == nullptr) {
    ++misses_;
    return {};
  }
  ++hits_;
  ++best->users;
  Use(*best);
  return {.length = best->length, .sequence = best->sequence};
}

void PrefixCache::Release(SequenceId sequence) {
  const auto end = ends_.find(sequence);
  if (end != ends_.end()) {
    CHECK(end->second->users > 0);
    --end->second->users;
  }
}

bool PrefixCache::Contains(std::span<const std::uint32_t> prefix, const std::string& salt) const {
  const auto root = roots_.find(salt);
  const Node* node = root == roots_.end() ? nullptr : root->second.get();
  while (node != nullptr && node->length < prefix.size()) {
    const auto child = node->children.find(prefix[node->length]);
    const auto rest = prefix.subspan(node->length);
    if (child == node->children.end() ||
        Agreement(child->second->tokens, rest) < child->second->tokens.size()) {
      return false;
    }
    node = child->second.get();
  }
  return node != nullptr && node->kept;
}

// A node in the middle of `node`'s edge, `at` tokens behind its parent.
PrefixCache::Node& PrefixCache::Split(Node& node, std::size_t at) {
  Node& parent = *node.parent;
  std::unique_ptr<Node>& slot = parent.children.at(node.tokens.front());
  auto middle = std::make_unique<Node>();
  middle->parent = &parent;
  middle->length = parent.length + at;
  const auto cut = node.tokens.begin() + static_cast<std::ptrdiff_t>(at);
  middle->tokens.assign(node.tokens.begin(), cut);
  node.tokens.erase(node.tokens.begin(), cut);
  node.parent = middle.get();
  Node& result = *middle;
  middle->children.emplace(node.tokens.front(), std::move(slot));
  slot = std::move(middle);
  return result;
}

PrefixCache::Node& PrefixCache::MakeEnd(Node& root, std::span<const std::uint32_t> prefix) {
  Node* node = &root;
  while (node->length < prefix.size()) {
    const auto rest = prefix.subspan(node->length);
    const auto child = node->children.find(rest.front());
    if (child == node->children.end()) {
      auto end = std::make_unique<Node>();
      end->parent = node;
      end->tokens.assign(rest.begin(), rest.end());
      end->length = prefix.size();
      return *node->children.emplace(rest.front(), std::move(end)).first->second;
    }
    Node& next = *child->second;
    const std::size_t same = Agreement(next.tokens, rest);
    node = same < next.tokens.size() ? &Split(next, same) : &next;
  }
  return *node;
}

bool PrefixCache::Keep(std::span<const std::uint32_t> prefix, SequenceId sequence,
                       const std::string& salt) {
  if (entries_max_ == 0 || prefix.empty() || Contains(prefix, salt)) {
    return false;
  }
  while (ends_.size() >= entries_max_) {
    if (!EvictOne(Which::kUnused)) {
      EvictOne(Which::kAny);
    }
  }
  auto& root = roots_[salt];
  if (root == nullptr) {
    root = std::make_unique<Node>();
  }
  Node& end = MakeEnd(*root, prefix);
  end.kept = true;
  end.sequence = forward_.Fork(sequence);
  end.users = 0;
  end.uses = 0;
  Use(end);
  ends_.emplace(end.sequence, &end);
  return true;
}

// With the nodes that lead nowhere any more.
void PrefixCache::Erase(Node& node) {
  CHECK(node.kept);
  forward_.Drop(node.sequence);
  ends_.erase(node.sequence);
  node.kept = false;
  ++evictions_;
  Node* empty = &node;
  while (empty->parent != nullptr && !empty->kept && empty->children.empty()) {
    Node* parent = empty->parent;
    const std::uint32_t first = empty->tokens.front();
    parent->children.erase(first);
    empty = parent;
  }
  if (empty->parent == nullptr && empty->children.empty()) {
    std::erase_if(roots_, [empty](const auto& root) { return root.second.get() == empty; });
  }
}

bool PrefixCache::EvictOne(Which which) {
  Node* cheapest = nullptr;
  for (const auto& [sequence, end] : ends_) {
    if (end->children.empty() && (which == Which::kAny || end->users == 0) &&
        (cheapest == nullptr || end->worth < cheapest->worth)) {
      cheapest = end;
    }
  }
  if (cheapest == nullptr) {
    return false;
  }
  age_ = std::max(age_, cheapest->worth);
  Erase(*cheapest);
  return true;
}

}  // namespace safeguard::engine
