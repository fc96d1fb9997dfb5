// Every token of a vocabulary, by its bytes, so that an automaton is run over all of them at once:
// what shares a beginning is walked once, and a dead beginning ends all that share it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/runtime/automaton.h"
#include "engine/vocabulary.h"

namespace safeguard::engine {

// A set of token ids.
class TokenMask {
 public:
  explicit TokenMask(std::size_t vocabulary) : words_((vocabulary + 63) / 64) {}
  void Allow(std::uint32_t id) { words_[id / 64] |= std::uint64_t{1} << (id % 64); }
  [[nodiscard]] bool Allows(std::uint32_t id) const {
    return (words_[id / 64] >> (id % 64) & 1U) != 0;
  }
  // Calls use(id) for each allowed id, ascending.
  template <typename Use>
  void ForEach(Use use) const {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      for (std::uint64_t word = words_[i]; word != 0; word &= word - 1) {
        use(static_cast<std::uint32_t>(i * 64) + static_cast<std::uint32_t>(__builtin_ctzll(word)));
      }
    }
  }

 private:
  std::vector<std::uint64_t> words_;
};

// Immutable; may be read from several threads.
class TokenTrie {
 public:
  // Control tokens (those without bytes) are not in it.
  explicit TokenTrie(const Vocabulary& vocabulary);

  // The tokens whose bytes keep `automaton` alive from `state`.
  [[nodiscard]] TokenMask Allowed(Automaton& automaton, StateId state) const;

 private:
  struct Node {
    std::uint32_t end = 0;          // the node behind this one's subtree
    std::uint32_t token_begin = 0;  // its tokens are tokens_[token_begin, next node's begin)
    std::uint16_t depth = 0;        // bytes from the root, this one included
    unsigned char byte = 0;
  };

  std::size_t vocabulary_size_;
  std::size_t depth_max_ = 0;
  std::vector<Node> nodes_;  // in the order of a walk
  std::vector<std::uint32_t> tokens_;
};

}  // namespace safeguard::engine
