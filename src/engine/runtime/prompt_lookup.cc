#include "engine/runtime/prompt_lookup.h"

#include <algorithm>
#include <cmath>

#include "engine/runtime/prefix_cache.h"

namespace safeguard::engine {
namespace {

constexpr double kNewest = 0.15;  // weight of the latest guess
// A row of a step that computes anyway costs up to this part of a token that is decoded alone.
constexpr double kWorth = 0.7;

}  // namespace

PromptLookup::PromptLookup(std::span<const std::uint32_t> text) {
  text_.reserve(text.size() + 256);
  behind_.reserve(text.size());
  for (const std::uint32_t id : text) {
    Push(id);
  }
}

void PromptLookup::Push(std::uint32_t id) {
  if (text_.size() >= kLookupTokens) {
    behind_[HashTokens(std::span(text_).last(kLookupTokens))] =
        static_cast<std::uint32_t>(text_.size());
  }
  text_.push_back(id);
}

void PromptLookup::Append(std::uint32_t id) {
  if (const auto place = Place()) {
    trust_ += kNewest * ((text_[*place] == id ? 1 : 0) - trust_);
  }
  Push(id);
}

std::optional<std::size_t> PromptLookup::Place() const {
  if (text_.size() < kLookupTokens) {
    return std::nullopt;
  }
  const auto last = std::span(text_).last(kLookupTokens);
  const auto it = behind_.find(HashTokens(last));
  if (it == behind_.end() ||
      !std::ranges::equal(last, std::span(text_).first(it->second).last(kLookupTokens))) {
    return std::nullopt;  // new, or another group with the same hash
  }
  return it->second;
}

std::vector<std::uint32_t> PromptLookup::Guess(std::size_t count) const {
  std::vector<std::uint32_t> guess;
  if (const auto place = Place()) {
    // A text that repeats itself goes on into its own guess.
    for (std::size_t i = *place; guess.size() < count; ++i) {
      guess.push_back(i < text_.size() ? text_[i] : guess[i - text_.size()]);
    }
  }
  return guess;
}

std::size_t PromptLookup::WorthGuessing(std::size_t count_max) const {
  if (trust_ < kWorth) {
    return 0;
  }
  std::size_t count = 0;
  for (double chance = trust_; chance >= kWorth && count < count_max; chance *= trust_) {
    ++count;
  }
  return count;
}

}  // namespace safeguard::engine
