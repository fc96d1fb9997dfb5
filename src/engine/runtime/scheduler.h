// The engine's loop without its thread: which tokens of which requests go into the next step, and
// what becomes of the logits. Deterministic but for prefixes that come from disk when they come:
// the same calls give the same steps, and every request the same answer in any case.
//
// A step takes the next tokens of every request that is decoding, then as much of the waiting
// prompts as its budget has left. Prompts are cut at the ends of their shared prefixes, where a
// fork is left in the prefix cache; a request whose prefix another is just computing, or which is
// being read from disk, waits for it.
//
// Memory: a request that could never end within cache_bytes_max is refused; the others are admitted
// by what they will probably need. When that was too little, kept prefixes go, then the youngest
// request gives up its place and is computed again later, to the same bits. The oldest never does,
// so one always ends, and in the end all do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "engine/generator.h"
#include "engine/model/forward.h"
#include "engine/runtime/answer_guide.h"
#include "engine/runtime/decoder.h"
#include "engine/runtime/prefix_cache.h"
#include "engine/runtime/prefix_loader.h"
#include "engine/runtime/request_queue.h"
#include "engine/runtime/request_state.h"
#include "engine/runtime/tenant_shares.h"
#include "engine/runtime/token_trie.h"

namespace safeguard::engine {

// Why `request` cannot be run, before it is queued. Thread-safe.
Status CheckRequest(const GenerationRequest& request, std::size_t vocabulary,
                    std::size_t context_max);
// kLimit when it could need more keys and values than `cache_bytes_max`. Thread-safe.
Status CheckMemory(const GenerationRequest& request, const Forward& forward,
                   std::size_t cache_bytes_max, std::size_t step_tokens_max);

// Used by one thread.
class Scheduler {
 public:
  using Time = engine::Time;

  Scheduler(Forward& forward, const Vocabulary& vocabulary, const GeneratorSettings& settings);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // REQUIRES: CheckRequest. `submitted`: when time_max began.
  void Add(RequestId id, GenerationRequest request, OnDone on_done, Time submitted);
  void Cancel(RequestId id);
  // Every request ends as kCancelled.
  void CancelAll();

  // One round, which may wait for the disk where nothing else is to do. False: there is no request
  // left.
  bool StepOnce();

  [[nodiscard]] GeneratorCounters counters() const;

 private:
  using Requests = std::vector<std::unique_ptr<RequestState>>;
  // What a request has in a step.
  struct Share {
    RequestState* request;
    std::size_t tokens;                   // of the pending ones
    std::vector<std::uint32_t> fed = {};  // with the drafted ones
    std::vector<std::uint32_t> rows = {};
    std::size_t logits = 0;
  };

  void EndOverdue();
  // Admission (admission.cc).
  void Admit();
  bool WaitsForPrefix(const RequestState& request) const;
  bool WaitsForDisk(RequestState& request);
  bool FindPlace(const RequestState& request, Time now);
  RequestState* YoungestBatch(Time now) const;
  [[nodiscard]] std::size_t BatchRunning() const;
  [[nodiscard]] std::size_t ExpectedBytes(const RequestState& request) const;
  void Start(RequestState& request);
  void Preempt(RequestState& request);
  void KeepLoaded();
  std::shared_ptr<MaskCache> MasksOf(const Grammar& grammar);
  // A step (scheduler.cc, step_plan.cc).
  std::vector<Share> Plan();
  void PlanDrafts(std::vector<Share>& shares, std::size_t budget);
  void PlanPrefill(std::vector<Share>& shares, std::size_t budget);
  bool Run(std::vector<Share>& shares);
  void RecoverFrom(const Error& error, std::span<const Share> shares);
  void FeedStarved();
  void KeepPrefixes(RequestState& request);
  void RemoveEnded();
  void Finish(RequestState& request);

  Forward& forward_;
  const Vocabulary& vocabulary_;
  GeneratorSettings settings_;
  GeneratorCounters counters_;
  TokenTrie trie_;
  PrefixCache prefixes_;
  std::unique_ptr<PrefixLoader> loader_;  // null: nothing is kept on disk
  TenantShares shares_;
  RequestQueue queue_;
  Decoder decoder_;
  std::map<const Automaton*, std::shared_ptr<MaskCache>> masks_;
  Requests active_;  // in the order of admission
  std::vector<float> logits_;
  std::uint64_t submissions_ = 0;
  // Memory was too little for what runs: nobody is admitted until so many have ended.
  std::uint64_t admit_at_ended_ = 0;
  double answer_tokens_ = 0;  // of a usual answer, as far as is known; 0: nothing is
  std::vector<std::chrono::steady_clock::duration> waits_;  // of the last admissions, a ring
  std::size_t waits_at_ = 0;
};

}  // namespace safeguard::engine
