#include "engine/runtime/scheduler.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"
#include "engine/runtime/label_scores.h"

namespace safeguard::engine {
namespace {

constexpr std::size_t kGrammarsMax = 32;  // whose masks are kept when nobody uses them

}  // namespace

struct Scheduler::Request {
  RequestId id{};
  GenerationRequest request;
  OnDone on_done;
  Time submitted;
  Time started;
  Time first_row;
  std::vector<std::uint64_t> prefix_hashes;  // of each prefix end
  std::unique_ptr<AnswerGuide> guide;        // from Start on
  SequenceId sequence{};
  std::vector<std::uint32_t> pending;  // not yet in the sequence
  std::size_t pending_at = 0;
  std::size_t tokens_max = 0;
  bool has_row = false;  // the prompt is in: decoding
  bool ended = false;
  GenerationResult result;

  [[nodiscard]] std::size_t Remaining() const { return pending.size() - pending_at; }
};

Scheduler::Scheduler(Forward& forward, const Vocabulary& vocabulary,
                     const GeneratorSettings& settings)
    : forward_(forward),
      vocabulary_(vocabulary),
      settings_(settings),
      trie_(vocabulary),
      prefixes_(forward, settings.prefixes_max) {}

Scheduler::~Scheduler() {
  CancelAll();
}

void Scheduler::Add(RequestId id, GenerationRequest request, OnDone on_done, Time submitted) {
  auto added = std::make_unique<Request>();
  added->id = id;
  added->request = std::move(request);
  added->on_done = std::move(on_done);
  added->submitted = submitted;
  added->started = submitted;
  added->result.usage.prompt_tokens = added->request.prompt.size();
  for (const std::size_t end : added->request.prefix_ends) {
    added->prefix_hashes.push_back(HashTokens(std::span(added->request.prompt).first(end)));
  }
  queue_.push_back(std::move(added));
}

void Scheduler::Cancel(RequestId id) {
  for (Requests* requests : {&queue_, &active_}) {
    for (const auto& request : *requests) {
      if (request->id == id && !request->ended) {
        End(*request, FinishReason::kCancelled);
      }
    }
  }
  RemoveEnded();
}

void Scheduler::CancelAll() {
  for (Requests* requests : {&queue_, &active_}) {
    for (const auto& request : *requests) {
      End(*request, FinishReason::kCancelled);
    }
  }
  RemoveEnded();
}

void Scheduler::EndOverdue() {
  const Time now = settings_.now();
  for (Requests* requests : {&queue_, &active_}) {
    for (const auto& request : *requests) {
      const auto& limit = request->request.time_max;
      if (limit && now - request->submitted >= *limit) {
        End(*request, FinishReason::kTimeLimit);
      }
    }
  }
  RemoveEnded();
}

// A prefix that an active request is still computing need not be computed twice.
bool Scheduler::WaitsForPrefix(const Request& request) const {
  for (const auto& other : active_) {
    if (other->ended) {
      continue;
    }
    const std::size_t done = forward_.Length(other->sequence);
    for (std::size_t i = 0; i < other->prefix_hashes.size(); ++i) {
      const std::size_t end = other->request.prefix_ends[i];
      const auto mine = std::ranges::find(request.prefix_hashes, other->prefix_hashes[i]);
      if (done < end && mine != request.prefix_hashes.end() &&
          end < request.request.prompt.size() &&
          !prefixes_.Contains(std::span(request.request.prompt).first(end))) {
        return true;
      }
    }
  }
  return false;
}

void Scheduler::Admit() {
  while (forward_.CacheBytes() > settings_.cache_bytes_max && prefixes_.EvictOne()) {
  }
  for (auto it = queue_.begin(); it != queue_.end();) {
    const bool memory = active_.empty() || forward_.CacheBytes() <= settings_.cache_bytes_max;
    if (active_.size() >= settings_.sequences_max || !memory) {
      return;
    }
    if (settings_.prefixes_max > 0 && WaitsForPrefix(**it)) {
      ++it;
      continue;
    }
    active_.push_back(std::move(*it));
    it = queue_.erase(it);
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

void Scheduler::Start(Request& request) {
  const GenerationRequest& asked = request.request;
  request.started = settings_.now();
  request.tokens_max =
      std::min(asked.tokens_max, forward_.config().context_max - asked.prompt.size());
  const PrefixCache::Found found = prefixes_.Find(asked.prompt);
  request.sequence = found.length > 0 ? forward_.Fork(found.sequence) : forward_.NewSequence();
  request.result.usage.cached_tokens = found.length;
  request.pending.assign(asked.prompt.begin() + static_cast<std::ptrdiff_t>(found.length),
                         asked.prompt.end());
  request.guide = std::make_unique<AnswerGuide>(
      asked, vocabulary_, asked.grammar != nullptr ? MasksOf(*asked.grammar) : nullptr);
  request.result.final_opened = request.guide->in_final();
  AppendForced(request);
}

// Decoding requests get one token each for sure, more of a forced run from what is left.
std::vector<Scheduler::Share> Scheduler::Plan() const {
  std::vector<Share> shares;
  std::size_t budget = settings_.step_tokens_max;
  std::size_t decoding = 0;
  for (const auto& request : active_) {
    decoding += request->has_row ? 1 : 0;
  }
  for (const auto& request : active_) {
    if (request->has_row) {
      --decoding;
      const std::size_t tokens = std::min(request->Remaining(), budget - decoding);
      shares.push_back({request.get(), tokens});
      budget -= tokens;
    }
  }
  for (const auto& request : active_) {
    if (request->has_row || budget == 0) {
      continue;
    }
    std::size_t tokens = std::min(request->Remaining(), budget);
    const std::size_t done = forward_.Length(request->sequence);
    for (const std::size_t end : request->request.prefix_ends) {
      if (end > done) {
        tokens = std::min(tokens, end - done);
        break;
      }
    }
    shares.push_back({request.get(), tokens});
    budget -= tokens;
  }
  return shares;
}

bool Scheduler::StepOnce() {
  EndOverdue();
  Admit();
  RemoveEnded();
  if (active_.empty()) {
    return !queue_.empty();
  }
  const std::vector<Share> shares = Plan();
  if (Run(shares)) {
    std::size_t row = 0;
    const std::size_t vocabulary = forward_.config().vocabulary;
    for (const Share& share : shares) {
      Request& request = *share.request;
      request.pending_at += share.tokens;
      KeepPrefixes(request);
      if (request.Remaining() == 0) {
        Advance(request, std::span(logits_).subspan(row * vocabulary, vocabulary));
        ++row;
      }
    }
  }
  RemoveEnded();
  return true;
}

bool Scheduler::Run(std::span<const Share> shares) {
  std::vector<SequenceStep> steps;
  std::size_t rows = 0;
  for (const auto& [request, tokens] : shares) {
    CHECK(tokens > 0);
    const bool last = tokens == request->Remaining();
    steps.push_back({.sequence = request->sequence,
                     .tokens = std::span(request->pending).subspan(request->pending_at, tokens),
                     .logits = last ? std::size_t{1} : 0});
    rows += last ? 1 : 0;
  }
  logits_.resize(rows * forward_.config().vocabulary);
  ++counters_.steps;
  Status status = forward_.Step(steps, logits_);
  if (!status) {
    RecoverFrom(status.error(), shares);
    return false;
  }
  for (const Share& share : shares) {
    counters_.tokens += share.tokens;
  }
  return true;
}

// Kept prefixes go first, then the youngest request of the step: the others can go on without it.
void Scheduler::RecoverFrom(const Error& error, std::span<const Share> shares) {
  if (prefixes_.size() > 0) {
    while (prefixes_.EvictOne()) {
    }
    return;
  }
  Request* youngest = active_.back().get();
  const bool in_step = std::ranges::any_of(
      shares, [youngest](const Share& share) { return share.request == youngest; });
  End(in_step ? *youngest : *shares.back().request, FinishReason::kError, error);
}

void Scheduler::KeepPrefixes(Request& request) {
  const std::size_t done = forward_.Length(request.sequence);
  const auto& ends = request.request.prefix_ends;
  if (std::ranges::find(ends, done) != ends.end()) {
    prefixes_.Keep(std::span(request.request.prompt).first(done), request.sequence);
  }
}

void Scheduler::Advance(Request& request, std::span<const float> row) {
  if (!request.has_row) {
    request.has_row = true;
    request.first_row = settings_.now();
  }
  request.pending.clear();
  request.pending_at = 0;
  if (ReadProbe(request, row)) {
    return;
  }
  if (request.result.tokens.size() >= request.tokens_max) {
    End(request, FinishReason::kTokenLimit);
    return;
  }
  Result<GeneratedToken> token = sampler_.Choose(
      row, request.request.sampling, request.guide->filter(), forward_.Length(request.sequence));
  if (Status status = request.guide->status(); !status) {
    End(request, FinishReason::kError, status.error());
  } else if (!token) {
    End(request, FinishReason::kError, token.error());
  } else if (CommitToken(request, std::move(*token))) {
    AppendForced(request);
  }
}

// True: the request has ended.
bool Scheduler::ReadProbe(Request& request, std::span<const float> row) {
  const auto rests = request.guide->ReachedProbe();
  if (!rests) {
    return false;
  }
  std::vector<std::vector<std::uint32_t>> labels;
  for (const std::string& rest : *rests) {
    labels.push_back(vocabulary_.Encode(rest));
    if (labels.back().size() > kProbeLabelTokensMax) {
      End(request, FinishReason::kError,
          Error{ErrorCode::kLimit, "a label to score is too long",
                "at most " + std::to_string(kProbeLabelTokensMax) + " tokens"});
      return true;
    }
  }
  Result<LabelScores> scores = ScoreLabels(forward_, request.sequence, row, labels);
  if (!scores) {
    End(request, FinishReason::kError, scores.error());
    return true;
  }
  request.result.scores = std::move(*scores);
  if (request.request.probe->stop) {
    End(request, FinishReason::kProbed);
  }
  return request.ended;
}

void Scheduler::AppendForced(Request& request) {
  for (;;) {
    if (Status status = request.guide->status(); !status) {
      End(request, FinishReason::kError, status.error());
      return;
    }
    if (request.guide->complete()) {
      End(request, FinishReason::kGrammarComplete);
      return;
    }
    const std::vector<std::uint32_t> ids = request.guide->Forced();
    if (ids.empty()) {
      return;
    }
    for (const std::uint32_t id : ids) {
      if (request.result.tokens.size() >= request.tokens_max) {
        End(request, FinishReason::kTokenLimit);
        return;
      }
      if (!CommitToken(request, {.id = id, .forced = true, .logprob = {}, .top = {}})) {
        return;
      }
    }
  }
}

bool Scheduler::CommitToken(Request& request, GeneratedToken token) {
  GenerationResult& result = request.result;
  const std::uint32_t id = token.id;
  const bool ends = request.guide->Ends(id);
  request.guide->Commit(id);
  if (token.forced) {
    ++result.usage.forced_tokens;
  } else {
    ++result.usage.sampled_tokens;
  }
  if (request.request.on_token) {
    request.request.on_token(token);
  }
  result.tokens.push_back(std::move(token));
  if (ends) {
    result.final_end = result.tokens.size() - 1;
    End(request, FinishReason::kStopToken);
    return false;
  }
  if (request.guide->in_final() && !result.final_opened) {
    result.final_opened = true;
    result.final_begin = result.tokens.size();
  }
  request.pending.push_back(id);
  return true;
}

void Scheduler::End(Request& request, FinishReason reason, std::optional<Error> error) {
  if (request.ended) {
    return;
  }
  request.ended = true;
  GenerationResult& result = request.result;
  const Time now = settings_.now();
  const Time first_row = request.has_row ? request.first_row : now;
  result.finish = reason;
  result.error = std::move(error);
  result.timings.queued = (request.guide != nullptr ? request.started : now) - request.submitted;
  if (request.guide != nullptr) {
    result.timings.prefill = first_row - request.started;
    result.timings.decode = now - first_row;
    result.usage.reasoning_tokens = request.guide->reasoning_tokens();
    if (!result.final_opened) {
      result.final_end = 0;
    } else if (reason != FinishReason::kStopToken) {
      result.final_end = result.tokens.size();
    }
    forward_.Drop(request.sequence);
  }
}

// Callbacks come last, when the scheduler is in order again.
void Scheduler::RemoveEnded() {
  std::vector<std::unique_ptr<Request>> ended;
  for (Requests* requests : {&queue_, &active_}) {
    for (auto& request : *requests) {
      if (request->ended) {
        ended.push_back(std::move(request));
      }
    }
    std::erase(*requests, nullptr);
  }
  for (const auto& request : ended) {
    request->on_done(std::move(request->result));
  }
}

GeneratorCounters Scheduler::counters() const {
  GeneratorCounters counters = counters_;
  counters.prefix_hits = prefixes_.hits();
  counters.prefix_misses = prefixes_.misses();
  counters.active = active_.size();
  counters.queued = queue_.size();
  return counters;
}

}  // namespace safeguard::engine
