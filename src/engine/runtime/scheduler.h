// The engine's loop without its thread: which tokens of which requests go into the next step, and
// what becomes of the logits. Deterministic: the same calls give the same steps.
//
// A step takes the next token of every request that is decoding, then as much of the waiting
// prompts as its budget has left, oldest first. Prompts are cut at the ends of their shared
// prefixes, where a fork is left in the prefix cache; a request whose prefix another is just
// computing waits for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "engine/generator.h"
#include "engine/model/forward.h"
#include "engine/runtime/answer_guide.h"
#include "engine/runtime/prefix_cache.h"
#include "engine/runtime/sampler.h"
#include "engine/runtime/token_trie.h"

namespace safeguard::engine {

// Why `request` cannot be run, before it is queued. Thread-safe.
Status CheckRequest(const GenerationRequest& request, std::size_t vocabulary,
                    std::size_t context_max);

using OnDone = std::function<void(GenerationResult)>;

// Used by one thread.
class Scheduler {
 public:
  using Time = std::chrono::steady_clock::time_point;

  Scheduler(Forward& forward, const Vocabulary& vocabulary, const GeneratorSettings& settings);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // REQUIRES: CheckRequest. `submitted`: when time_max began.
  void Add(RequestId id, GenerationRequest request, OnDone on_done, Time submitted);
  void Cancel(RequestId id);
  // Every request ends as kCancelled.
  void CancelAll();

  // One call of Forward::Step at most. False: there is no request left.
  bool StepOnce();

  [[nodiscard]] GeneratorCounters counters() const;

 private:
  struct Request;
  using Requests = std::deque<std::unique_ptr<Request>>;
  struct Share {
    Request* request;
    std::size_t tokens;
  };

  void EndOverdue();
  void Admit();
  bool WaitsForPrefix(const Request& request) const;
  void Start(Request& request);
  std::shared_ptr<MaskCache> MasksOf(const Grammar& grammar);
  std::vector<Share> Plan() const;
  bool Run(std::span<const Share> shares);
  void RecoverFrom(const Error& error, std::span<const Share> shares);
  void KeepPrefixes(Request& request);
  // What follows from the logits behind everything that the request has.
  void Advance(Request& request, std::span<const float> row);
  bool ReadProbe(Request& request, std::span<const float> row);
  void AppendForced(Request& request);
  // False: the request has ended.
  bool CommitToken(Request& request, GeneratedToken token);
  void End(Request& request, FinishReason reason, std::optional<Error> error = {});
  void RemoveEnded();

  Forward& forward_;
  const Vocabulary& vocabulary_;
  GeneratorSettings settings_;
  TokenTrie trie_;
  PrefixCache prefixes_;
  Sampler sampler_;
  std::map<const Automaton*, std::shared_ptr<MaskCache>> masks_;
  Requests queue_;   // oldest first
  Requests active_;  // in the order of admission
  std::vector<float> logits_;
  GeneratorCounters counters_;
};

}  // namespace safeguard::engine
