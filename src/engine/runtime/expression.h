// Regular expressions over bytes as a graph of shared nodes, and their derivatives.
//
// The derivative of a language by a byte is what may follow that byte (Brzozowski 1964; Owens,
// Reppy and Turon 2009, "Regular-expression derivatives re-examined"). Equal expressions are one
// node, so that a node can serve as the state of an automaton, made when it is first met. Counted
// repetition and intersection then need no expansion: a string of at most 10,000 characters is one
// node, and a new one for each character that was written.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace safeguard::engine {

using ByteSet = std::bitset<256>;
using ExpressionId = std::uint32_t;

inline constexpr ExpressionId kNothing = 0;  // no text at all matches
inline constexpr ExpressionId kEmpty = 1;    // only the empty text
inline constexpr std::uint32_t kUnbounded = std::numeric_limits<std::uint32_t>::max();

// Nodes of one automaton. An expression that meets the limit makes no more nodes: over_limit() is
// then true for ever, and what was built since is meaningless.
inline constexpr std::size_t kExpressionNodesMax = 1 << 20;
// Derivatives of parts that one derivative may take.
inline constexpr std::size_t kDerivativeWorkMax = 1 << 18;

// Not thread-safe.
class ExpressionArena {
 public:
  explicit ExpressionArena(std::size_t nodes_max = kExpressionNodesMax);

  void set_nodes_max(std::size_t nodes_max) { nodes_max_ = nodes_max; }

  ExpressionId Bytes(const ByteSet& set);
  ExpressionId ByteRange(unsigned first, unsigned last);
  ExpressionId Literal(std::string_view bytes);
  ExpressionId Concat(ExpressionId first, ExpressionId rest);
  ExpressionId Concat(std::span<const ExpressionId> parts);
  ExpressionId Alternatives(const std::vector<ExpressionId>& parts);
  // `part` min to max times; max may be kUnbounded. REQUIRES: min <= max.
  ExpressionId Repeat(ExpressionId part, std::uint32_t min, std::uint32_t max);
  // What both match.
  ExpressionId Both(ExpressionId a, ExpressionId b);

  // What may follow `byte` in `expression`.
  ExpressionId Derivative(ExpressionId expression, unsigned char byte);

  [[nodiscard]] bool MatchesEmpty(ExpressionId expression) const;
  // False: the expression is kNothing or matches some text. True: it holds an intersection, whose
  // emptiness only a search can tell.
  [[nodiscard]] bool MayBeVoid(ExpressionId expression) const;
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  [[nodiscard]] bool over_limit() const { return over_limit_; }
  [[nodiscard]] const std::vector<ByteSet>& byte_sets() const { return sets_; }

 private:
  enum class Kind : std::uint8_t {
    kVoid,
    kEmptyText,
    kBytes,
    kConcat,
    kAlternatives,
    kRepeat,
    kBoth,
  };
  struct Node {
    Kind kind = Kind::kVoid;
    bool matches_empty = false;
    bool may_be_void = false;
    std::uint32_t a = 0;  // bytes: set; alternatives: begin in lists_; else the first part
    std::uint32_t b = 0;  // alternatives: end in lists_; repeat: min; else the second part
    std::uint32_t c = 0;  // repeat: max
  };

  ExpressionId Intern(const Node& node, std::span<const ExpressionId> list = {});
  [[nodiscard]] bool Same(const Node& old, const Node& node,
                          std::span<const ExpressionId> list) const;
  void AddPart(ExpressionId part, ByteSet& bytes, std::vector<ExpressionId>& flat);
  ExpressionId Derive(ExpressionId expression, unsigned char byte);
  [[nodiscard]] std::span<const ExpressionId> List(const Node& node) const;

  std::size_t nodes_max_;
  std::size_t work_ = 0;
  bool over_limit_ = false;
  std::vector<Node> nodes_;
  std::vector<ExpressionId> lists_;
  std::vector<ByteSet> sets_;
  std::unordered_map<ByteSet, std::uint32_t> set_ids_;
  std::unordered_multimap<std::uint64_t, ExpressionId> by_hash_;
};

}  // namespace safeguard::engine
