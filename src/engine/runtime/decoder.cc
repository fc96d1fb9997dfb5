#include "engine/runtime/decoder.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/check.h"

namespace safeguard::engine {
namespace {

// Of one step that feeds forks for labels: bounds its logits (0.8 MB a row for 200,000 tokens) and
// the pages that forks copy.
constexpr std::size_t kForkRowsMax = 64;
constexpr std::size_t kForksMax = 16;

Error LabelTooLong() {
  return {ErrorCode::kLimit, "a label to score is too long",
          "at most " + std::to_string(kProbeLabelTokensMax) + " tokens"};
}

}  // namespace

Decoder::Decoder(Forward& forward, const Vocabulary& vocabulary, const GeneratorSettings& settings,
                 GeneratorCounters& counters)
    : forward_(forward), vocabulary_(vocabulary), settings_(settings), counters_(counters) {}

// Null: the place of the probe is not reached, or the request has ended.
LabelReading* Decoder::ProbeOf(RequestState& request) {
  if (request.probe != nullptr) {
    return request.probe.get();
  }
  const auto rests = request.guide->ReachedProbe();
  if (!rests) {
    return nullptr;
  }
  std::vector<std::vector<std::uint32_t>> labels;
  for (const std::string& rest : *rests) {
    labels.push_back(vocabulary_.Encode(rest));
    if (labels.back().size() > kProbeLabelTokensMax) {
      request.End(FinishReason::kError, LabelTooLong());
      return nullptr;
    }
  }
  request.probe =
      std::make_unique<LabelReading>(std::move(labels), request.request.probe->relative);
  return request.probe.get();
}

std::vector<std::uint32_t> Decoder::RowsNeeded(RequestState& request) {
  const GenerationRequest& asked = request.request;
  std::vector<std::uint32_t> rows;
  const LabelReading* probe = ProbeOf(request);
  if (request.ended || (probe != nullptr && !asked.probe->relative)) {
    return rows;
  }
  if (probe == nullptr || !asked.probe->stop) {
    if (asked.sampling.logprobs || asked.sampling.top_logprobs > 0) {
      return rows;
    }
    rows = request.guide->FewAllowed(kFewRowsMax);
    if (rows.empty()) {
      return rows;
    }
  }
  if (probe != nullptr) {
    const std::vector<std::uint32_t>& labels = probe->first_tokens();
    rows.insert(rows.end(), labels.begin(), labels.end());
    std::ranges::sort(rows);
    const auto twice = std::ranges::unique(rows);
    rows.erase(twice.begin(), twice.end());
  }
  return rows;
}

LogitsRow Decoder::RowOf(const Reading& reading) const {
  const std::size_t width =
      reading.rows.empty() ? forward_.config().vocabulary : reading.rows.size();
  return {reading.logits.subspan(reading.row * width, width), reading.rows};
}

void Decoder::Read(RequestState& request, std::span<const float> logits,
                   std::span<const std::uint32_t> rows) {
  request.decoding = true;
  if (!request.first_row) {
    request.first_row = settings_.now();
  }
  request.pending.clear();
  request.pending_at = 0;
  Reading reading{.request = &request, .logits = logits, .rows = rows};
  reading.position = forward_.Length(request.sequence) - request.draft.size();
  Continue(reading);
}

void Decoder::Continue(Reading& reading) {
  RequestState& request = *reading.request;
  for (;;) {
    const Place place = ReadProbe(reading);
    if (place == Place::kWaits) {
      waiting_.push_back(reading);
      return;
    }
    if (place == Place::kEnded || !Choose(reading)) {
      return;
    }
    // Drafted tokens that the answer turned out to have.
    const auto rest = std::span(request.draft).subspan(reading.row);
    const auto right = static_cast<std::size_t>(std::ranges::mismatch(request.pending, rest).in1 -
                                                request.pending.begin());
    reading.row += right;
    request.result.usage.accepted_tokens += right;
    counters_.accepted += right;
    request.pending.erase(request.pending.begin(),
                          request.pending.begin() + static_cast<std::ptrdiff_t>(right));
    if (!request.pending.empty()) {
      Rewind(reading);
      return;
    }
  }
}

// Only the drafted tokens that were right stay in the sequence.
void Decoder::Rewind(const Reading& reading) {
  RequestState& request = *reading.request;
  if (request.draft.size() > reading.row) {
    const Status status = forward_.Truncate(request.sequence, reading.position + reading.row);
    if (!status) {
      request.End(FinishReason::kError, status.error());
    }
  }
  request.draft.clear();
}

Decoder::Place Decoder::ReadProbe(Reading& reading) {
  RequestState& request = *reading.request;
  LabelReading* probe = ProbeOf(request);
  if (probe == nullptr) {
    return request.ended ? Place::kEnded : Place::kGoesOn;
  }
  ++counters_.probes;
  const LogitsRow row = RowOf(reading);
  if (Status status = probe->ReadFirst(row); !status) {
    request.End(FinishReason::kError, status.error());
    return Place::kEnded;
  }
  if (probe->paths().empty()) {
    return FinishProbe(request);
  }
  // The forks go on from this row: what was drafted behind it is given up.
  reading.logits = row.values;
  Rewind(reading);
  reading.position += reading.row;
  reading.row = 0;
  return request.ended ? Place::kEnded : Place::kWaits;
}

Decoder::Place Decoder::FinishProbe(RequestState& request) {
  request.result.scores = request.probe->Scores();
  request.probe.reset();
  request.guide->MarkProbed();
  if (request.request.probe->stop) {
    request.End(FinishReason::kProbed);
  }
  return request.ended ? Place::kEnded : Place::kGoesOn;
}

void Decoder::ScoreWaiting() {
  std::vector<Fork> forks;
  for (Reading& reading : waiting_) {
    for (std::size_t path = 0; path < reading.request->probe->paths().size(); ++path) {
      forks.push_back({&reading, path, {}});
    }
  }
  for (std::size_t begin = 0; begin < forks.size();) {
    std::size_t end = begin;
    std::size_t rows = 0;
    while (end < forks.size() && end - begin < kForksMax) {
      const Fork& next = forks[end];
      rows += next.reading->request->probe->paths()[next.path].size();
      if (end > begin && rows > kForkRowsMax) {
        break;
      }
      ++end;
    }
    FeedForks(std::span(forks).subspan(begin, end - begin));
    begin = end;
  }
  std::vector<Reading> scored;
  scored.swap(waiting_);
  for (Reading& reading : scored) {
    if (reading.request->starved) {
      reading.request->probe.reset();
    } else if (!reading.request->ended && FinishProbe(*reading.request) == Place::kGoesOn) {
      Continue(reading);
    }
  }
}

void Decoder::FeedForks(std::span<Fork> forks) {
  const std::size_t vocabulary = forward_.config().vocabulary;
  std::vector<SequenceStep> steps;
  std::size_t rows = 0;
  for (Fork& fork : forks) {
    fork.sequence = forward_.Fork(fork.reading->request->sequence);
    const auto& path = fork.reading->request->probe->paths()[fork.path];
    steps.push_back({.sequence = fork.sequence, .tokens = path, .logits = path.size(), .rows = {}});
    rows += path.size();
  }
  fork_logits_.resize(rows * vocabulary);
  ++counters_.steps;
  ++counters_.probe_steps;
  Status status = forward_.Step(steps, fork_logits_);
  for (const Fork& fork : forks) {
    forward_.Drop(fork.sequence);
  }
  if (!status && status.error().code == ErrorCode::kLimit) {
    for (std::size_t i = 0; i < forks.size() && forks.size() > 1; ++i) {
      FeedForks(forks.subspan(i, 1));
    }
    forks.front().reading->request->starved |= forks.size() == 1;
    return;
  }
  counters_.rows += rows;
  counters_.tokens += rows;
  std::size_t row = 0;
  for (const Fork& fork : forks) {
    RequestState& request = *fork.reading->request;
    const std::size_t count = request.probe->paths()[fork.path].size();
    for (std::size_t i = 1; i <= count && status; ++i) {
      const auto behind = std::span(fork_logits_).subspan(row++ * vocabulary, vocabulary);
      if (const Status read = request.probe->ReadBehind(fork.path, i, behind); !read) {
        request.End(FinishReason::kError, read.error());
      }
    }
    if (!status) {
      request.End(FinishReason::kError, status.error());
    }
  }
}

// False: the request has ended.
bool Decoder::Choose(Reading& reading) {
  RequestState& request = *reading.request;
  if (request.result.tokens.size() >= request.tokens_max) {
    request.End(FinishReason::kTokenLimit);
    return false;
  }
  Result<GeneratedToken> token =
      sampler_.Choose(RowOf(reading), request.request.sampling, request.guide->filter(),
                      reading.position + reading.row);
  if (Status status = request.guide->status(); !status) {
    request.End(FinishReason::kError, status.error());
  } else if (!token) {
    request.End(FinishReason::kError, token.error());
  } else if (CommitToken(request, std::move(*token))) {
    AppendForced(request);
  }
  return !request.ended;
}

void Decoder::AppendForced(RequestState& request) {
  std::size_t run = 0;
  while (!request.ended) {
    if (Status status = request.guide->status(); !status) {
      request.End(FinishReason::kError, status.error());
      break;
    }
    if (request.guide->complete()) {
      request.End(FinishReason::kGrammarComplete);
      break;
    }
    const std::vector<std::uint32_t> ids = request.guide->Forced();
    if (ids.empty()) {
      break;
    }
    for (const std::uint32_t id : ids) {
      if (request.result.tokens.size() >= request.tokens_max) {
        request.End(FinishReason::kTokenLimit);
        break;
      }
      ++run;
      if (!CommitToken(request, {.id = id, .forced = true, .logprob = {}, .top = {}})) {
        break;
      }
    }
  }
  counters_.forced_runs += run > 0 ? 1 : 0;
  counters_.forced_tokens += run;
}

bool Decoder::CommitToken(RequestState& request, GeneratedToken token) {
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
    request.End(FinishReason::kStopToken);
    return false;
  }
  if (request.guide->in_final() && !result.final_opened) {
    result.final_opened = true;
    result.final_begin = result.tokens.size();
  }
  request.pending.push_back(id);
  if (request.lookup != nullptr) {
    request.lookup->Append(id);
  }
  return true;
}

}  // namespace safeguard::engine
