// Guesses what a text goes on with: what followed the same last tokens where they stood before in
// it. Rationales quote policies and contents. (Saxena 2023, "Prompt lookup decoding".)
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

namespace safeguard::engine {

inline constexpr std::size_t kLookupTokens = 3;  // that must agree

class PromptLookup {
 public:
  explicit PromptLookup(std::span<const std::uint32_t> text);

  // The text goes on. Whether the guess would have been right counts towards trust().
  void Append(std::uint32_t id);
  // At most `count` tokens; empty where the last tokens are new.
  [[nodiscard]] std::vector<std::uint32_t> Guess(std::size_t count) const;

  // The share of right guesses of one token, later ones counting more; 0 before the first.
  [[nodiscard]] double trust() const { return trust_; }
  // So many tokens that the last one's chance, going by trust(), is still worth its row.
  [[nodiscard]] std::size_t WorthGuessing(std::size_t count_max) const;

 private:
  void Push(std::uint32_t id);
  [[nodiscard]] std::optional<std::size_t> Place() const;

  std::vector<std::uint32_t> text_;
  std::unordered_map<std::uint64_t, std::uint32_t> behind_;  // the latest place behind each group
  double trust_ = 0;
};

}  // namespace safeguard::engine
