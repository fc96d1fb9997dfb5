// What one answer may be next: its script, its channels and reasoning budget, its grammar.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "engine/generator.h"
#include "engine/runtime/automaton.h"
#include "engine/runtime/channel_tracker.h"
#include "engine/runtime/sampler.h"
#include "engine/runtime/token_trie.h"

namespace safeguard::engine {

inline constexpr std::size_t kCachedMasksMax = 64;  // of 25 kB each

// The token masks of one automaton's states, kept for all requests with that grammar.
class MaskCache {
 public:
  MaskCache(std::shared_ptr<Automaton> automaton, const TokenTrie& trie)
      : automaton_(std::move(automaton)), trie_(trie) {}
  const TokenMask& At(StateId state);
  [[nodiscard]] Automaton& automaton() const { return *automaton_; }
  [[nodiscard]] const std::shared_ptr<Automaton>& shared() const { return automaton_; }

 private:
  std::shared_ptr<Automaton> automaton_;
  const TokenTrie& trie_;
  std::unordered_map<StateId, TokenMask> masks_;
};

// Used by the engine's thread only. `request` must outlive it.
class AnswerGuide final : private TokenFilter {
 public:
  AnswerGuide(const GenerationRequest& request, const Vocabulary& vocabulary,
              std::shared_ptr<MaskCache> masks);

  // The tokens that must come next, whatever the model thinks; empty when there is a choice.
  // Each is to be given to Commit before the next call.
  std::vector<std::uint32_t> Forced();
  // Null: every token of the vocabulary may come.
  TokenFilter* filter();
  void Commit(std::uint32_t id);

  // No token can follow: the grammar is complete.
  bool complete();
  // `id` ends the answer here.
  [[nodiscard]] bool Ends(std::uint32_t id) const;
  [[nodiscard]] Status status() const;  // kLimit when the grammar ran out of states

  [[nodiscard]] bool in_final() const { return in_final_; }
  [[nodiscard]] std::size_t reasoning_tokens() const { return reasoning_tokens_; }

  // When the place of the probe is reached and MarkProbed was not called: what remains to be
  // written of each label from here, empty for one that what is written excludes.
  [[nodiscard]] std::optional<std::vector<std::string>> ReachedProbe() const;
  void MarkProbed() { probed_ = true; }

  // Where the grammar leaves at most `count_max` tokens to choose from: these, rising. Empty where
  // there are more, or where the grammar has no say. Cheap where text is free.
  std::vector<std::uint32_t> FewAllowed(std::size_t count_max);

 private:
  bool Allows(std::uint32_t id) override;
  const TokenMask& Mask() override;
  [[nodiscard]] bool IsStop(std::uint32_t id) const;
  void CommitFinal(std::uint32_t id);

  const GenerationRequest& request_;
  const Vocabulary& vocabulary_;
  std::shared_ptr<MaskCache> masks_;  // null: no grammar
  std::optional<ChannelTracker> tracker_;
  std::size_t script_at_ = 0;
  std::size_t reasoning_tokens_ = 0;
  bool in_final_ = false;
  bool probed_ = false;
  StateId state_ = kDeadState;
  std::string text_;  // of the final message
  std::vector<std::uint32_t> ids_;
  std::vector<std::size_t> ends_;
  TokenMask mask_;  // with the stop tokens
};

}  // namespace safeguard::engine
