#include "engine/runtime/scheduler.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace safeguard::engine {
namespace {

constexpr std::chrono::hours kLongestDeadline{24 * 365};  // no overflow
// Of the places: so many batch requests that have waited long keep theirs.
constexpr std::size_t kBatchPart = 8;
constexpr double kNewestAnswer = 0.05;  // weight of the latest in the usual answer's length

}  // namespace

Scheduler::Scheduler(Forward& forward, const Vocabulary& vocabulary,
                     const GeneratorSettings& settings)
    : forward_(forward),
      vocabulary_(vocabulary),
      settings_(settings),
      trie_(vocabulary),
      prefixes_(forward, settings.prefixes_max),
      shares_(settings.tenant_weights),
      queue_(settings.batch_wait_max,
             std::max<std::size_t>(1, settings.sequences_max / kBatchPart)),
      decoder_(forward, vocabulary, settings_, counters_) {
  if (!settings.prefix_folder.empty() && settings.prefixes_max > 0) {
    loader_ =
        std::make_unique<PrefixLoader>(PrefixFolder{settings.prefix_folder, settings.prefix_model,
                                                    settings.prefix_folder_bytes_max},
                                       settings.on_note);
  }
}

Scheduler::~Scheduler() {
  CancelAll();
}

void Scheduler::Add(RequestId id, GenerationRequest request, OnDone on_done, Time submitted) {
  auto added = std::make_unique<RequestState>();
  added->id = id;
  added->request = std::move(request);
  added->on_done = std::move(on_done);
  added->submitted = submitted;
  added->started = submitted;
  added->deadline =
      submitted +
      std::min<Time::duration>(added->request.time_max.value_or(kUsualDeadline), kLongestDeadline);
  added->order = ++submissions_;
  added->tokens_max = std::min(added->request.tokens_max,
                               forward_.config().context_max - added->request.prompt.size());
  added->result.usage.prompt_tokens = added->request.prompt.size();
  for (const std::size_t end : added->request.prefix_ends) {
    added->prefix_hashes.push_back(HashTokens(std::span(added->request.prompt).first(end)));
  }
  added->level = &shares_.Arrive(added->request.tenant);
  queue_.Push(std::move(added));
}

void Scheduler::Cancel(RequestId id) {
  for (const Requests* requests : {&queue_.requests(), &std::as_const(active_)}) {
    for (const auto& request : *requests) {
      if (request->id == id) {
        request->End(FinishReason::kCancelled);
      }
    }
  }
  RemoveEnded();
}

void Scheduler::CancelAll() {
  for (const Requests* requests : {&queue_.requests(), &std::as_const(active_)}) {
    for (const auto& request : *requests) {
      request->End(FinishReason::kCancelled);
    }
  }
  RemoveEnded();
}

void Scheduler::EndOverdue() {
  const Time now = settings_.now();
  for (const Requests* requests : {&queue_.requests(), &std::as_const(active_)}) {
    for (const auto& request : *requests) {
      if (request->request.time_max && now >= request->deadline) {
        request->End(FinishReason::kTimeLimit);
      }
    }
  }
  RemoveEnded();
}

bool Scheduler::StepOnce() {
  EndOverdue();
  KeepLoaded();
  Admit();
  RemoveEnded();
  if (active_.empty()) {
    if (loader_ != nullptr && !queue_.empty()) {
      loader_->WaitForOne();
    }
    return !queue_.empty();
  }
  std::vector<Share> shares = Plan();
  if (!shares.empty() && Run(shares)) {
    std::size_t at = 0;
    for (const Share& share : shares) {
      RequestState& request = *share.request;
      request.pending_at += share.tokens;
      KeepPrefixes(request);
      const std::size_t width =
          share.rows.empty() ? forward_.config().vocabulary : share.rows.size();
      if (share.logits > 0) {
        decoder_.Read(request, std::span(logits_).subspan(at, share.logits * width), share.rows);
        at += share.logits * width;
      } else if (request.Remaining() == 0) {
        request.End(FinishReason::kTokenLimit);  // only its prompt was to be computed
      }
    }
    decoder_.ScoreWaiting();
    FeedStarved();
  }
  RemoveEnded();
  return true;
}

bool Scheduler::Run(std::vector<Share>& shares) {
  std::vector<SequenceStep> steps;
  std::size_t floats = 0;
  std::size_t rows = 0;
  std::size_t restricted = 0;
  for (Share& share : shares) {
    RequestState& request = *share.request;
    CHECK(share.tokens > 0);
    share.fed.assign(
        request.pending.begin() + static_cast<std::ptrdiff_t>(request.pending_at),
        request.pending.begin() + static_cast<std::ptrdiff_t>(request.pending_at + share.tokens));
    share.fed.insert(share.fed.end(), request.draft.begin(), request.draft.end());
    const SequenceStep step{.sequence = request.sequence,
                            .tokens = share.fed,
                            .logits = share.logits,
                            .rows = share.rows};
    floats += share.logits * step.RowFloats(forward_.config().vocabulary);
    rows += share.logits;
    restricted += share.rows.empty() ? 0 : share.logits;
    steps.push_back(step);
  }
  logits_.resize(floats);
  ++counters_.steps;
  const Status status = forward_.Step(steps, logits_);
  if (!status) {
    for (const Share& share : shares) {
      share.request->draft.clear();
    }
    RecoverFrom(status.error(), shares);
    return false;
  }
  counters_.rows += rows;
  counters_.restricted_rows += restricted;
  for (const Share& share : shares) {
    counters_.tokens += share.fed.size();
    counters_.prompt_tokens += share.request->decoding ? 0 : share.tokens;
    counters_.drafted += share.request->draft.size();
    share.request->result.usage.drafted_tokens += share.request->draft.size();
  }
  return true;
}

// Without memory kept prefixes go, then the youngest request's place; see the top of scheduler.h.
// Another failure is the end of the youngest request of the step: the others can go on without it.
void Scheduler::RecoverFrom(const Error& error, std::span<const Share> shares) {
  if (error.code == ErrorCode::kLimit) {
    if (prefixes_.EvictOne(PrefixCache::Which::kUnused)) {
      return;
    }
    if (active_.size() > 1) {
      admit_at_ended_ = counters_.ended + 1;
      RequestState* batch = YoungestBatch(settings_.now());
      Preempt(batch != nullptr && batch != active_.front().get() ? *batch : *active_.back());
      return;
    }
    if (prefixes_.EvictOne(PrefixCache::Which::kAny)) {
      return;
    }
  }
  RequestState* youngest = active_.back().get();
  const bool in_step = std::ranges::any_of(
      shares, [youngest](const Share& share) { return share.request == youngest; });
  (in_step ? *youngest : *shares.back().request).End(FinishReason::kError, error);
}

// Whose labels did not fit into memory tries again when there is more.
void Scheduler::FeedStarved() {
  std::vector<RequestState*> starved;
  for (const auto& request : active_) {
    if (request->starved && !request->ended) {
      starved.push_back(request.get());
    }
  }
  for (RequestState* request : starved) {
    request->starved = false;
    if (active_.size() > 1) {
      admit_at_ended_ = counters_.ended + 1;
    } else if (!prefixes_.EvictOne(PrefixCache::Which::kAny)) {
      request->End(FinishReason::kError,
                   Error{ErrorCode::kLimit, "too little memory to score the labels",
                         "allow more memory for keys and values"});
      continue;
    }
    Preempt(*request);
  }
}

void Scheduler::KeepPrefixes(RequestState& request) {
  const GenerationRequest& asked = request.request;
  const std::size_t done = forward_.Length(request.sequence);
  if (std::ranges::find(asked.prefix_ends, done) == asked.prefix_ends.end()) {
    return;
  }
  const auto prefix = std::span(asked.prompt).first(done);
  if (!prefixes_.Keep(prefix, request.sequence, asked.prefix_salt) || loader_ == nullptr) {
    return;
  }
  if (Result<std::vector<std::byte>> bytes = forward_.Export(request.sequence)) {
    loader_->Store(prefix, asked.prefix_salt, std::move(*bytes));
  }
}

void Scheduler::Finish(RequestState& request) {
  GenerationResult& result = request.result;
  const Time now = settings_.now();
  const bool began = request.guide != nullptr;
  const Time first_row = request.first_row.value_or(now);
  result.timings.queued = (began ? request.started : now) - request.submitted;
  if (began) {
    result.timings.prefill = first_row - request.started;
    result.timings.decode = now - first_row;
    result.usage.reasoning_tokens = request.guide->reasoning_tokens();
    if (!result.final_opened) {
      result.final_end = 0;
    } else if (result.finish != FinishReason::kStopToken) {
      result.final_end = result.tokens.size();
    }
  }
  if (request.placed) {
    forward_.Drop(request.sequence);
    prefixes_.Release(request.prefix);
    const std::size_t used = std::min(request.charged, request.used_tokens());
    shares_.GiveBack(request.request.tenant, request.charged - used);
  }
  shares_.Leave(request.request.tenant);
  if (request.first_row && result.finish != FinishReason::kCancelled) {
    const auto length = static_cast<double>(result.tokens.size());
    answer_tokens_ += (answer_tokens_ == 0 ? 1 : kNewestAnswer) * (length - answer_tokens_);
  }
  ++counters_.ended;
}

// Callbacks come last, when the scheduler is in order again.
void Scheduler::RemoveEnded() {
  Requests ended = queue_.TakeEnded();
  for (auto& request : active_) {
    if (request->ended) {
      ended.push_back(std::move(request));
    }
  }
  std::erase(active_, nullptr);
  for (const auto& request : ended) {
    Finish(*request);
  }
  for (const auto& request : ended) {
    request->on_done(std::move(request->result));
  }
}

GeneratorCounters Scheduler::counters() const {
  GeneratorCounters counters = counters_;
  counters.expert_reads = forward_.ExpertReads();
  counters.prefix_hits = prefixes_.hits();
  counters.prefix_misses = prefixes_.misses();
  counters.prefix_evictions = prefixes_.evictions();
  counters.prefixes = prefixes_.size();
  if (loader_ != nullptr) {
    counters.prefix_stores = loader_->stores();
  }
  counters.active = active_.size();
  counters.queued = queue_.size();
  if (!waits_.empty()) {
    std::vector<std::chrono::steady_clock::duration> sorted = waits_;
    std::ranges::sort(sorted);
    counters.queued_median = sorted[sorted.size() / 2];
    counters.queued_p95 = sorted[sorted.size() * 95 / 100];
  }
  return counters;
}

}  // namespace safeguard::engine
