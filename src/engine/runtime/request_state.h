// One request on its way through the scheduler. Used by the engine's thread only.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "engine/generator.h"
#include "engine/model/forward.h"
#include "engine/runtime/answer_guide.h"
#include "engine/runtime/label_scores.h"
#include "engine/runtime/prompt_lookup.h"

namespace safeguard::engine {

using OnDone = std::function<void(GenerationResult)>;
using Time = std::chrono::steady_clock::time_point;

struct RequestState {
  RequestId id{};
  GenerationRequest request;
  OnDone on_done;
  Time submitted;
  Time deadline;  // its own, or a far one: orders a tenant's requests
  Time started;
  std::optional<Time> first_row;
  std::uint64_t order = 0;                   // of submission
  std::vector<std::uint64_t> prefix_hashes;  // of each prefix end
  const double* level = nullptr;             // of its tenant, in TenantShares
  bool held = false;                         // passed over while it waits for a prefix

  std::unique_ptr<AnswerGuide> guide;    // from the first start on
  std::unique_ptr<LabelReading> probe;   // while its place is reached and not yet read
  std::unique_ptr<PromptLookup> lookup;  // from the first thought of a draft on
  std::size_t tokens_max = 0;
  std::size_t charged = 0;        // tokens that its tenant's share has paid for
  std::size_t computed_from = 0;  // tokens that it found in the prefix cache

  bool placed = false;  // has a sequence
  SequenceId sequence{};
  SequenceId prefix{};                 // of the prefix cache, that it was forked from
  std::vector<std::uint32_t> pending;  // certain, not yet in the sequence
  std::size_t pending_at = 0;
  std::vector<std::uint32_t> draft;  // guesses behind the pending tokens
  bool decoding = false;             // its prompt is in
  bool starved = false;              // memory was too little to read its labels
  bool ended = false;
  GenerationResult result;

  [[nodiscard]] std::size_t Remaining() const { return pending.size() - pending_at; }
  // Tokens that the whole request may come to.
  [[nodiscard]] std::size_t LengthMax() const { return request.prompt.size() + tokens_max; }

  // Of those that were charged, as far as they were or will surely be computed.
  [[nodiscard]] std::size_t used_tokens() const {
    return request.prompt.size() + result.tokens.size() - computed_from;
  }
  // Prompt and answer as far as it is known.
  [[nodiscard]] std::vector<std::uint32_t> Text() const {
    std::vector<std::uint32_t> text = request.prompt;
    for (const GeneratedToken& token : result.tokens) {
      text.push_back(token.id);
    }
    return text;
  }

  // The first reason counts.
  void End(FinishReason reason, std::optional<Error> error = {}) {
    if (!ended) {
      ended = true;
      result.finish = reason;
      result.error = std::move(error);
    }
  }
};

}  // namespace safeguard::engine
