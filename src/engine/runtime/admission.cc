// Which waiting requests get a place in the batch, and who gives one up.
#include <algorithm>
#include <utility>

#include "engine/runtime/scheduler.h"

namespace safeguard::engine {
namespace {

constexpr std::size_t kGrammarsMax = 32;  // whose masks are kept when nobody uses them
constexpr std::size_t kWaitsKept = 1024;
// Of a request's answer, while no answer has ended yet: this part of what it may be.
constexpr std::size_t kUsualPart = 4;

}  // namespace

// A prefix that an active request is still computing need not be computed twice.
bool Scheduler::WaitsForPrefix(const RequestState& request) const {
  for (const auto& other : active_) {
    if (other->ended || other->decoding ||
        other->request.prefix_salt != request.request.prefix_salt) {
      continue;
    }
    const std::size_t done = forward_.Length(other->sequence);
    for (std::size_t i = 0; i < other->prefix_hashes.size(); ++i) {
      const std::size_t end = other->request.prefix_ends[i];
      const auto mine = std::ranges::find(request.prefix_hashes, other->prefix_hashes[i]);
      if (done < end && mine != request.prefix_hashes.end() &&
          end < request.request.prompt.size() &&
          !prefixes_.Contains(std::span(request.request.prompt).first(end),
                              request.request.prefix_salt)) {
        return true;
      }
    }
  }
  return false;
}

// Asks the disk once for each end that memory does not have, the longest first.
bool Scheduler::WaitsForDisk(RequestState& request) {
  if (loader_ == nullptr || request.guide != nullptr) {
    return false;
  }
  const GenerationRequest& asked = request.request;
  for (std::size_t i = asked.prefix_ends.size(); i-- > 0;) {
    const auto prefix = std::span(asked.prompt).first(asked.prefix_ends[i]);
    if (prefixes_.Contains(prefix, asked.prefix_salt)) {
      return false;
    }
    switch (loader_->Ask(prefix, asked.prefix_salt)) {
      case PrefixLoader::Answer::kComing:
        return true;
      case PrefixLoader::Answer::kNone:
        break;
    }
  }
  return false;
}

void Scheduler::KeepLoaded() {
  if (loader_ == nullptr) {
    return;
  }
  for (PrefixLoader::Loaded& loaded : loader_->TakeLoaded()) {
    const Result<SequenceId> sequence = forward_.Import(loaded.bytes);
    if (!sequence) {
      loader_->Reject(loaded, sequence.error());
      continue;
    }
    if (forward_.Length(*sequence) == loaded.tokens.size()) {
      counters_.prefix_loads += prefixes_.Keep(loaded.tokens, *sequence, loaded.salt) ? 1 : 0;
    } else {
      loader_->Reject(loaded, {ErrorCode::kInvalidInput, "it holds another number of tokens", ""});
    }
    forward_.Drop(*sequence);
  }
}

std::size_t Scheduler::ExpectedBytes(const RequestState& request) const {
  const std::size_t known = request.result.tokens.size();
  const std::size_t usual = answer_tokens_ > 0 ? static_cast<std::size_t>(answer_tokens_) + 1
                                               : request.tokens_max / kUsualPart;
  const std::size_t tokens =
      request.request.prompt.size() + std::min(std::max(usual, known), request.tokens_max);
  const std::size_t held = request.placed ? forward_.Length(request.sequence) : 0;
  return forward_.BytesFor(std::max(tokens, held), 0) - forward_.BytesFor(held, 0);
}

std::size_t Scheduler::BatchRunning() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      active_, [](const auto& request) { return request->request.priority == Priority::kBatch; }));
}

// That may be preempted: the last few that have waited long may not.
RequestState* Scheduler::YoungestBatch(Time now) const {
  const bool few = BatchRunning() <= queue_.batch_places();
  for (auto it = active_.rbegin(); it != active_.rend(); ++it) {
    const RequestState& request = **it;
    if (!request.ended && request.request.priority == Priority::kBatch &&
        !(few && queue_.HasWaitedLong(request, now))) {
      return it->get();
    }
  }
  return nullptr;
}

// Makes room in the batch and in memory, as far as `request` may ask for it.
bool Scheduler::FindPlace(const RequestState& request, Time now) {
  const bool urgent = request.request.priority == Priority::kInteractive;
  while (active_.size() >= settings_.sequences_max) {
    RequestState* batch = urgent ? YoungestBatch(now) : nullptr;
    if (batch == nullptr) {
      return false;
    }
    Preempt(*batch);
  }
  for (;;) {
    std::size_t bytes = forward_.CacheBytes() + ExpectedBytes(request);
    for (const auto& other : active_) {
      bytes += ExpectedBytes(*other);
    }
    if (bytes <= settings_.cache_bytes_max) {
      return true;
    }
    if (prefixes_.EvictOne(PrefixCache::Which::kUnused)) {
      continue;
    }
    if (active_.empty()) {
      return true;
    }
    RequestState* batch = urgent ? YoungestBatch(now) : nullptr;
    if (batch == nullptr) {
      return false;
    }
    Preempt(*batch);
  }
}

void Scheduler::Admit() {
  if (!active_.empty() && counters_.ended < admit_at_ended_) {
    return;
  }
  const Time now = settings_.now();
  queue_.Release();
  while (RequestState* next = queue_.Next(now, BatchRunning())) {
    if (settings_.prefixes_max > 0 && (WaitsForPrefix(*next) || WaitsForDisk(*next))) {
      next->held = true;
      continue;
    }
    if (!FindPlace(*next, now)) {
      return;
    }
    active_.push_back(queue_.Take(*next));
    Start(*active_.back());
  }
}

std::shared_ptr<MaskCache> Scheduler::MasksOf(const Grammar& grammar) {
  std::shared_ptr<Automaton> automaton = grammar.automaton();
  const auto it = masks_.find(automaton.get());
  if (it != masks_.end()) {
    return it->second;
  }
  if (masks_.size() >= kGrammarsMax) {
    std::erase_if(masks_, [](const auto& entry) { return entry.second.use_count() == 1; });
  }
  const Automaton* key = automaton.get();
  auto masks = std::make_shared<MaskCache>(std::move(automaton), trie_);
  masks_.emplace(key, masks);
  return masks;
}

void Scheduler::Start(RequestState& request) {
  const GenerationRequest& asked = request.request;
  const bool again = request.guide != nullptr;
  const std::vector<std::uint32_t> text = request.Text();
  const PrefixCache::Found found = prefixes_.Find(asked.prompt, asked.prefix_salt);
  request.sequence = found.length > 0 ? forward_.Fork(found.sequence) : forward_.NewSequence();
  request.placed = true;
  request.decoding = false;
  request.pending.assign(text.begin() + static_cast<std::ptrdiff_t>(found.length), text.end());
  request.pending_at = 0;
  request.prefix = found.sequence;
  request.computed_from = found.length;
  request.charged = request.LengthMax() - found.length;
  shares_.Charge(asked.tenant, request.charged);
  if (again) {
    return;
  }
  request.started = settings_.now();
  const auto waited = request.started - request.submitted;
  if (waits_.size() < kWaitsKept) {
    waits_.push_back(waited);
  } else {
    waits_[waits_at_] = waited;
    waits_at_ = (waits_at_ + 1) % kWaitsKept;
  }
  request.result.usage.cached_tokens = found.length;
  request.guide = std::make_unique<AnswerGuide>(
      asked, vocabulary_, asked.grammar != nullptr ? MasksOf(*asked.grammar) : nullptr);
  request.result.final_opened = request.guide->in_final();
  if (request.tokens_max > 0) {
    decoder_.AppendForced(request);
  }
}

// Back to the queue with what it has; prompt and answer so far are prefill when it comes again.
void Scheduler::Preempt(RequestState& request) {
  forward_.Drop(request.sequence);
  prefixes_.Release(request.prefix);
  request.placed = false;
  request.decoding = false;
  request.pending.clear();
  request.pending_at = 0;
  request.draft.clear();
  shares_.GiveBack(request.request.tenant,
                   request.charged - std::min(request.charged, request.used_tokens()));
  request.charged = 0;
  ++request.result.usage.preemptions;
  ++counters_.preemptions;
  const auto it = std::ranges::find(active_, &request, &std::unique_ptr<RequestState>::get);
  std::unique_ptr<RequestState> back = std::move(*it);
  active_.erase(it);
  queue_.Push(std::move(back));
}

}  // namespace safeguard::engine
