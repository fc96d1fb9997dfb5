#include "engine/runtime/token_trie.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/check.h"

namespace safeguard::engine {

TokenTrie::TokenTrie(const Vocabulary& vocabulary) : vocabulary_size_(vocabulary.size()) {
  std::vector<std::pair<std::string_view, std::uint32_t>> sorted;
  for (std::uint32_t id = 0; id < vocabulary.size(); ++id) {
    const std::string_view bytes = vocabulary.Bytes(id);
    CHECK(bytes.size() < 0xFFFF);
    if (!bytes.empty()) {
      sorted.emplace_back(bytes, id);
    }
  }
  std::ranges::sort(sorted);
  std::vector<std::uint32_t> open;  // the nodes above the place, by depth
  std::string_view previous;
  for (const auto& [bytes, id] : sorted) {
    const auto [a, b] = std::ranges::mismatch(previous, bytes);
    const auto shared = static_cast<std::size_t>(b - bytes.begin());
    while (open.size() > shared) {
      nodes_[open.back()].end = static_cast<std::uint32_t>(nodes_.size());
      open.pop_back();
    }
    for (std::size_t i = shared; i < bytes.size(); ++i) {
      open.push_back(static_cast<std::uint32_t>(nodes_.size()));
      nodes_.push_back({.end = 0,
                        .token_begin = static_cast<std::uint32_t>(tokens_.size()),
                        .depth = static_cast<std::uint16_t>(i + 1),
                        .byte = static_cast<unsigned char>(bytes[i])});
    }
    depth_max_ = std::max(depth_max_, bytes.size());
    tokens_.push_back(id);
    previous = bytes;
  }
  for (const std::uint32_t node : open) {
    nodes_[node].end = static_cast<std::uint32_t>(nodes_.size());
  }
  nodes_.push_back({.end = 0, .token_begin = static_cast<std::uint32_t>(tokens_.size())});
}

TokenMask TokenTrie::Allowed(Automaton& automaton, StateId state) const {
  TokenMask mask(vocabulary_size_);
  Automaton::Walker walker(automaton);
  std::vector<StateId> states(depth_max_ + 1, kDeadState);
  states[0] = state;
  const std::size_t count = nodes_.size() - 1;
  for (std::size_t i = 0; i < count;) {
    const Node& node = nodes_[i];
    const StateId next = walker.Next(states[node.depth - 1U], node.byte);
    if (next == kDeadState) {
      i = node.end;
      continue;
    }
    states[node.depth] = next;
    for (std::uint32_t t = node.token_begin; t < nodes_[i + 1].token_begin; ++t) {
      mask.Allow(tokens_[t]);
    }
    ++i;
  }
  return mask;
}

}  // namespace safeguard::engine
